package sink_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func ints(n int) rxcql.Stream[int] {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return sequence(rows...)
}

func collect(into *[]int) rxcql.Sink[int] {
	return sink.Each(func(_ context.Context, n int) error {
		*into = append(*into, n)
		return nil
	})
}

func TestEachCallsInTheOrderOfTheStream(t *testing.T) {
	var got []int
	rep, err := run(t, ints(2000), collect(&got))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.True(t, slices.IsSorted(got))
	require.Len(t, got, 2000)
	require.EqualValues(t, 2000, rep.Written)
	last := rep.Stages[len(rep.Stages)-1]
	require.Equal(t, rxcql.StageReport{Name: "Each", In: 2000, Out: 2000}, last)
}

func TestEachCallsSoManyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, peak, sum atomic.Int64
		each := sink.Each(func(_ context.Context, n int) error {
			peak.Store(max(peak.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			sum.Add(int64(n))
			return nil
		}, sink.InFlight(5))
		start := time.Now()
		rep, err := run(t, ints(100), each)
		require.NoError(t, err)
		require.EqualValues(t, 5, peak.Load())
		require.EqualValues(t, 4950, sum.Load())
		require.Equal(t, 20*time.Second, time.Since(start))
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	})
}

func TestAnErrorOfEachNamesTheRowAndLeavesThePageUnsettled(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{1, 3} {
		each := sink.Each(func(_ context.Context, n int) error {
			if n == 7 {
				return broken
			}
			return nil
		}, sink.InFlight(n))
		rep, err := run(t, ints(100), each)
		require.ErrorIs(t, err, broken)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.Equal(t, 7, row.Row)
		require.EqualValues(t, 0, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	}
}

func TestAPanicInEachIsAStageErrorWithItsStack(t *testing.T) {
	for _, n := range []int{1, 3} {
		_, err := run(t, ints(100), sink.Each(func(context.Context, int) error { panic("no") }, sink.InFlight(n)))
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.Equal(t, "Each", stage.Stage)
		require.Contains(t, string(stage.Stack), "each_test.go")
	}
}

func TestACallOfEachInFlightIsFinishedAfterACancel(t *testing.T) {
	for _, n := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			cause := errors.New("enough")
			var begun, finished atomic.Int64
			each := sink.Each(func(ctx context.Context, n int) error {
				begun.Add(1)
				select {
				case <-time.After(3 * time.Second):
					finished.Add(1)
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}, sink.InFlight(n))
			p, err := rxcql.New(ints(100), each)
			require.NoError(t, err)
			time.AfterFunc(time.Second, func() { cancel(cause) })
			_, err = p.Run(ctx)
			require.ErrorIs(t, err, cause)
			require.EqualValues(t, n, begun.Load())
			require.EqualValues(t, n, finished.Load())
		})
	}
}

func TestStopWritesAndSettlesWhatHasBeenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 1000)
		for i := range 1000 {
			ch <- i
		}
		var done atomic.Int64
		p, err := rxcql.New(source.Chan(ch), sink.Each(func(context.Context, int) error {
			time.Sleep(time.Millisecond)
			done.Add(1)
			return nil
		}, sink.InFlight(2)))
		require.NoError(t, err)
		time.AfterFunc(100*time.Millisecond, p.Stop)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, "Stop", rep.EndedBy)
		require.Equal(t, rep.ReadRows, done.Load())
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestEverythingWrongWithTheArgumentsIsReportedAtOnce(t *testing.T) {
	require.ErrorIs(t, config(sink.Each[int](nil, sink.InFlight(0))), rxcql.ErrConfig)
	each := config(sink.Each[int](nil, sink.InFlight(0), nil))
	for _, want := range []string{"sink.Each", "the function is nil", "InFlight(0): must be from 1", "an option is nil"} {
		require.ErrorContains(t, each, want)
	}
	table := config(sink.Table[event](nil, "t", sink.BatchRows(0), sink.BatchBytes(5), sink.BatchLinger(-1), sink.TTL(time.Millisecond),
		sink.Columns("a", "a"), sink.Columns("b"), sink.Columns("b"), sink.InFlight(-1), sink.TimestampOf(func(int) int64 { return 1 }), sink.Delete(), sink.NullsDelete()))
	for _, want := range []string{"sink.Table", "no Cassandra session", "keyspace is missing", "BatchRows(0)", "BatchBytes(5)", "BatchLinger(-1ns)",
		"TTL(1ms)", `Columns: "a" is named twice`, `Columns: "b" is named twice`, "InFlight(-1)", "the sink's rows are sink_test.event", "Delete and NullsDelete"} {
		require.ErrorContains(t, table, want)
	}
	exec := config(sink.Exec[int](nil, "", nil, sink.InFlight(0)))
	for _, want := range []string{"sink.Exec", "no Cassandra session", "the statement is empty", "binds is nil", "InFlight(0)"} {
		require.ErrorContains(t, exec, want)
	}
	tee := config(sink.Tee(nil, sink.Each[int](nil)))
	for _, want := range []string{"sink.Tee", "sink 1 is nil", "the function is nil"} {
		require.ErrorContains(t, tee, want)
	}
	require.ErrorContains(t, config(sink.Tee[int]()), "no sink is given")
	require.ErrorContains(t, config(sink.Table[int](nil, "k.t")), "holds one column: name it with Columns")
	through := config(sink.Through[int, int](nil, nil))
	for _, want := range []string{"sink.Through", "the sink is nil", "the function is nil"} {
		require.ErrorContains(t, through, want)
	}
}

// config is what is wrong with the arguments of a sink and of those inside.
func config(s rxcql.AnySink) error {
	info := s.Info()
	errs := []error{info.Err}
	for _, in := range info.Sinks {
		errs = append(errs, config(in))
	}
	return errors.Join(errs...)
}

func ExampleEach() {
	p, err := rxcql.New(ints(3), sink.Each(func(_ context.Context, n int) error {
		fmt.Println("row", n)
		return nil
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := p.Run(context.Background())
	fmt.Println(report.Written, "written,", err)
	// Output:
	// row 0
	// row 1
	// row 2
	// 3 written, <nil>
}
