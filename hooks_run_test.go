package rxcql_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// layer adds its name to the contexts that it is asked about, and notes in which one each
// of its End functions is called.
type layer struct {
	name  string
	notes *[]string
}

type layersKey struct{}

func layersOf(ctx context.Context) string {
	names, _ := ctx.Value(layersKey{}).(string)
	return names
}

func (l layer) hooks() rxcql.Hooks {
	return rxcql.Hooks{
		RunStart: func(ctx context.Context, e rxcql.RunEvent) context.Context {
			*l.notes = append(*l.notes, fmt.Sprintf("%s starts %v %v", l.name, e.Sources, e.Sinks))
			return context.WithValue(ctx, layersKey{}, layersOf(ctx)+l.name)
		},
		RunEnd: func(ctx context.Context, _ rxcql.RunEvent) {
			*l.notes = append(*l.notes, l.name+" ends in "+layersOf(ctx))
		},
	}
}

func TestTheWholeRunIsUnderTheContextThatItsHooksReturn(t *testing.T) {
	var notes []string
	seen := map[string]string{}
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		seen["source"], seen["run"] = layersOf(ctx), layersOf(st.Run().Context()) //nolint:contextcheck // it is the run's that is looked at
		return out.Done(ctx, false)
	})
	to := &memory[int]{open: func(ctx context.Context, _ *rxcql.Stage) error {
		seen["sink"] = layersOf(ctx)
		return nil
	}}
	nothing := rxcql.Hooks{RunStart: func(context.Context, rxcql.RunEvent) context.Context { return nil }} //nolint:nilnil // stands for the context given
	_, err := pipeline(t, in, to, rxcql.WithHooks(layer{"a", &notes}.hooks(), nothing, layer{"b", &notes}.hooks())).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"source": "ab", "run": "ab", "sink": "ab"}, seen)
	require.Equal(t, []string{"a starts [Own] [*rxcql_test.memory[int]]", "b starts [Own] [*rxcql_test.memory[int]]", "b ends in ab", "a ends in a"}, notes,
		"each end has the context of its own start, and the last start ends first")
}

func TestTheEndOfARunIsToldOnceHoweverItEnds(t *testing.T) {
	var ends []rxcql.RunEvent
	hooks := rxcql.WithHooks(rxcql.Hooks{RunEnd: func(_ context.Context, e rxcql.RunEvent) { ends = append(ends, e) }})
	last := func(t *testing.T) rxcql.RunEvent {
		t.Helper()
		require.Len(t, ends, 1)
		e := ends[0]
		ends = nil
		return e
	}

	rep, err := pipeline(t, seq(100), &memory[int]{}, hooks).Run(t.Context())
	require.NoError(t, err)
	e := last(t)
	require.Equal(t, rep, e.Report)
	require.Equal(t, []any{rep.Duration, rep.Started, error(nil), ""}, []any{e.Duration, e.Start, e.Err, e.ErrorType})

	for range seq(100).All(t.Context(), hooks) {
		break
	}
	require.NoError(t, last(t).Err, "a loop that was left")

	_, err = seq(100).Collect(t.Context(), hooks)
	require.NoError(t, err)
	require.True(t, last(t).Report.Complete)

	secret := fmt.Errorf("row %q: %w", canary, errTest)
	to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { return nil }}
	in := mapped(seq(100), func(n int) int { return n })
	failing := rxcql.Lift(in, rxcql.StageInfo{Name: "Fails"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(context.Context, *flow.Page[int]) error { return st.FailUserFunc(secret, nil) }}
	})
	_, err = pipeline(t, failing, to, hooks).Run(t.Context())
	require.ErrorContains(t, err, canary, "the user's own words come back to the user")
	e = last(t)
	require.ErrorIs(t, e.Err, errTest)
	require.NotContains(t, e.Err.Error(), canary)
	require.Equal(t, "other", e.ErrorType)

	_, err = pipeline(t, seq(1), &memory[int]{check: func() error { return errTest }}, hooks).Run(t.Context())
	require.ErrorIs(t, err, errTest)
	require.ErrorIs(t, last(t).Err, errTest)
}
