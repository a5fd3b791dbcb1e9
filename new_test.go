package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/source"
)

type funcSink func()

func (funcSink) Info() rxcql.SinkInfo                                              { return rxcql.SinkInfo{} }
func (funcSink) Check(context.Context) error                                       { return nil }
func (funcSink) Open(context.Context, *rxcql.Execution) (rxcql.Writer[int], error) { return nil, nil }

var wrong = []rxcql.Option{
	nil, rxcql.WithBudget(1), rxcql.WithWorkers(0), rxcql.WithGrace(-time.Second), rxcql.WithLogger(nil),
	rxcql.WithHooks(rxcql.Hooks{}),
}

var wrongText = []string{
	"an option is nil", "WithBudget(1)", "WithWorkers(0)", "WithGrace(-1s)", "WithLogger(nil)",
	"WithHooks: argument 1 has no function",
}

func TestNewReportsEverythingThatIsWrongAtOnce(t *testing.T) {
	in := rxcql.Lift(source.Seq[int](nil, source.PageRows(0)), rxcql.StageInfo{Name: "Op", Err: errors.New("op is wrong")},
		func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] { return out })
	all := append([]rxcql.Option{
		rxcql.WithCheckpoint(&jobtest.Store{}, ""), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(""))),
	}, wrong...)
	_, err := rxcql.New(in, &memory[int]{config: errors.New("sink is wrong")}, all...)
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	for _, text := range append(wrongText, "Seq: PageRows(0)", "the iterator is nil", "Op: op is wrong", "sink is wrong",
		"stage Seq", "the job has no name", "deadletter.NDJSON: the path is empty") {
		require.ErrorContains(t, err, text)
	}
}

func TestAZeroStreamANilSinkAndWrongOptionsAreReportedTogether(t *testing.T) {
	_, err := rxcql.New(rxcql.Stream[int]{}, nil, wrong...)
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range append(wrongText, "zero Stream", "the sink is nil") {
		require.ErrorContains(t, err, text)
	}
}

func TestASinkThatIsATypedNilIsNil(t *testing.T) {
	var pointer *memory[int]
	var fn funcSink
	for _, to := range []rxcql.Sink[int]{nil, pointer, fn} {
		_, err := rxcql.New(seq(1), to)
		require.ErrorContains(t, err, "the sink is nil")
	}
}

func TestReadingWithoutAPipelineReportsTheSame(t *testing.T) {
	ctx := context.Background()
	in := source.Seq[int](nil, source.PageRows(0))
	var errs []error
	for _, err := range in.All(ctx, wrong...) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	_, err := in.Collect(ctx, wrong...)
	errs = append(errs, err)
	_, err = in.Count(ctx, wrong...)
	errs = append(errs, err)
	_, err = in.ForEach(ctx, func(int) error { return nil }, wrong...)
	errs = append(errs, err)
	for item := range in.Observable(ctx, wrong...).Observe() {
		errs = append(errs, item.E)
	}
	require.Len(t, errs, 5)
	for _, err := range errs {
		require.ErrorIs(t, err, rxcql.ErrConfig)
		for _, text := range append(wrongText, "Seq: PageRows(0)", "the iterator is nil") {
			require.ErrorContains(t, err, text)
		}
	}
}

func TestTheZeroStreamIsRefusedWhereverItIsUsed(t *testing.T) {
	var zero rxcql.Stream[int]
	_, err := zero.Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "zero Stream")
	require.Equal(t, rxcql.StageInfo{}, zero.Info())
	require.False(t, zero.MixesRows())
	require.Empty(t, zero.Stages())
	require.NoError(t, zero.Check(context.Background()))

	_, err = mapped(zero, func(i int) int { return i }).Collect(context.Background())
	require.ErrorContains(t, err, "Map: its input is the zero Stream")
	_, err = rxcql.NewStream[int](rxcql.StageInfo{Name: "Op"}, nil, nil).Collect(context.Background())
	require.ErrorContains(t, err, "Op: its input is the zero Stream")
}

func TestABudgetNeedsAPageForEverySource(t *testing.T) {
	two := func(a, b rxcql.Stream[int]) rxcql.Stream[int] {
		return rxcql.NewStream(rxcql.StageInfo{Name: "Concat"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			both := op[int, int]{next: out.Next, done: func(context.Context, bool) error { return nil }}
			return errors.Join(a.Subscribe(ctx, st, both), b.Subscribe(ctx, st, both), out.Done(ctx, false))
		}, a, b)
	}
	in := two(seq(1000), seq(1000))
	_, err := in.Count(context.Background(), rxcql.WithBudget(2*rxcql.MinBudgetPerInput-1))
	require.ErrorContains(t, err, "has 2 source(s) and needs at least 131072 bytes")
	n, err := in.Count(context.Background(), rxcql.WithBudget(2*rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	require.EqualValues(t, 2000, n)

	same := seq(1000) // one source, read twice in a run
	n, err = two(same, same).Count(context.Background(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	require.EqualValues(t, 2000, n)
}
