package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

type tally = operators.Group[int, int]

// tens counts numbers by their tens, hundreds what was counted by the hundreds.
func tens(in rxcql.Stream[int]) rxcql.Stream[tally] {
	return operators.GroupAdjacent(in, func(n int) int { return n / 10 }, zero, func(sum, _ int) (int, error) { return sum + 1, nil })
}

func hundreds(in rxcql.Stream[tally]) rxcql.Stream[tally] {
	return operators.GroupAdjacent(in, func(g tally) int { return g.Key / 10 }, zero,
		func(sum int, g tally) (int, error) { return sum + g.Value, nil })
}

func sameTally(in rxcql.Stream[tally]) rxcql.Stream[tally] {
	return operators.Map(in, func(g tally) (tally, error) { return g, nil })
}

// foldJob is a stream into a sink: a pipeline to be, of any type of rows.
type foldJob func(opts ...rxcql.Option) (*rxcql.Pipeline, error)

func foldInto[T any](s rxcql.Stream[T], to rxcql.Sink[T]) foldJob {
	return func(opts ...rxcql.Option) (*rxcql.Pipeline, error) { return rxcql.New(s, to, opts...) }
}

func TestAFoldBehindAFoldIsRefusedWithACheckpointAndWorksWithout(t *testing.T) {
	got := map[int]int{}
	keep := sink.Each(func(_ context.Context, g tally) error {
		got[g.Key] = g.Value
		return nil
	}, sink.Idempotent())
	drop := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	dropTally := sink.Each(func(context.Context, tally) error { return nil }, sink.Idempotent())
	rows := &jobtest.Parts[int]{PageRows: 3, Rows: [][]int{upTo(250)}}
	both := func(in rxcql.Stream[int]) rxcql.Stream[tally] { return hundreds(tens(in)) }

	for name, job := range map[string]foldJob{
		"in the stream":                   foldInto(both(rows.Stream()), keep),
		"with an operator between":        foldInto(hundreds(sameTally(tens(rows.Stream()))), keep),
		"the second inside a Through":     foldInto(tens(rows.Stream()), sink.Through(hundreds, keep)),
		"both inside a Through":           foldInto(rows.Stream(), sink.Through(both, keep)),
		"each inside a Through":           foldInto(rows.Stream(), sink.Through(tens, sink.Through(hundreds, keep))),
		"the second in a branch of a Tee": foldInto(tens(rows.Stream()), sink.Tee(dropTally, sink.Through(hundreds, keep))),
		"both in a branch of a Tee":       foldInto(rows.Stream(), sink.Tee(drop, sink.Through(both, keep))),
		"a Tee in a Through":              foldInto(rows.Stream(), sink.Through(tens, sink.Tee(dropTally, sink.Through(hundreds, keep)))),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := job(rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
			require.ErrorIs(t, err, rxcql.ErrConfig)
			require.ErrorIs(t, err, rxcql.ErrNotResumable)
			require.ErrorContains(t, err, "stage GroupAdjacent")

			p, err := job()
			require.NoError(t, err)
			clear(got)
			rep, err := p.Run(context.Background())
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.Equal(t, map[int]int{0: 100, 1: 100, 2: 50}, got)
		})
	}
}

func TestFoldsSideBySideAreNotRefused(t *testing.T) {
	parts := func(name string) rxcql.Stream[int] {
		return (&jobtest.Parts[int]{Name: name, PageRows: 3, Rows: [][]int{upTo(50)}}).Stream()
	}
	to := sink.Each(func(context.Context, tally) error { return nil }, sink.Idempotent())
	for name, job := range map[string]foldJob{
		"in branches of a Tee": foldInto(parts("Parts"), sink.Tee(sink.Through(tens, to), sink.Through(tens, to))),
		"before a Merge":       foldInto(operators.Merge(tens(parts("First")), tens(parts("Second"))), to),
	} {
		p, err := job(rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.NoError(t, err, name)
		rep, err := p.Run(context.Background())
		require.NoError(t, err, name)
		require.True(t, rep.Complete, name)
	}
}
