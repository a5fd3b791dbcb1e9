package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// run runs a stream into a sink that keeps everything.
func run[T any](t *testing.T, s rxcql.Stream[T]) (rxcql.Report, error) {
	t.Helper()
	p, err := rxcql.New(s, &gather[T]{})
	require.NoError(t, err)
	return p.Run(context.Background())
}

func TestRowsHeldWhenTheStreamIsEndedOnPurposeAreDoneWith(t *testing.T) {
	small := func(rows []int) bool { return rows[0] < 50 }
	for name, s := range map[string]func() (rxcql.Report, error){
		"Batch": func() (rxcql.Report, error) {
			return run(t, operators.TakeWhile(operators.Batch(count(1000, 64), operators.BatchRows(10)), small))
		},
		"Batch timed": func() (rxcql.Report, error) {
			return run(t, operators.TakeWhile(operators.Batch(count(1000, 64), operators.BatchRows(10), operators.BatchLinger(time.Hour)), small))
		},
		"GroupAdjacent": func() (rxcql.Report, error) {
			groups := operators.GroupAdjacent(count(1000, 64), func(n int) int { return n / 10 }, zero, add)
			return run(t, operators.Take(groups, 3))
		},
	} {
		rep, err := s()
		require.NoError(t, err, name)
		require.NotEmpty(t, rep.EndedBy, name)
		require.Equal(t, rep.Pages, rep.PagesSettled, name)
		require.Zero(t, rep.BytesInFlight, name)
	}
}

func TestAFailureIsNotLostInAnEndAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		for _, failingFirst := range []bool{true, false} {
			begun, ended := make(chan struct{}), make(chan struct{})
			failing := operators.Tap(count(1, 1), func(int) error {
				close(begun)
				<-ended
				return boom
			})
			inputs := []rxcql.Stream[int]{count(1, 1), failing}
			if failingFirst {
				inputs = []rxcql.Stream[int]{failing, count(1, 1)}
			}
			_, err := run(t, operators.TakeWhile(operators.Merge(inputs...), func(int) bool {
				<-begun
				close(ended)
				return false
			}))
			require.ErrorIs(t, err, boom)
		}

		for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
			failed := make(chan struct{})
			calls := operators.MapConcurrent(count(100, 100), 2, func(_ context.Context, n int) (int, error) {
				if n == 0 {
					return 0, nil
				}
				if n == 1 {
					close(failed)
					return 0, boom
				}
				return n, nil
			}, opts...)
			_, err := run(t, operators.TakeWhile(calls, func(int) bool {
				<-failed
				time.Sleep(10 * time.Millisecond)
				return false
			}))
			require.ErrorIs(t, err, boom)
		}
	})
}

func TestRowsThatWaitedWhenTheStreamEndedCountAsFiltered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting := make(chan struct{})
		second := operators.Tap(count(10, 10), func(n int) error {
			if n == 9 {
				close(waiting)
			}
			return nil
		})
		first := operators.Map(count(10, 10), func(n int) (int, error) { return n + 100, nil })
		inputs := operators.Merge(first, operators.Tap(second, func(int) error { return nil }))
		rep, err := run(t, operators.TakeWhile(inputs, func(int) bool {
			<-waiting
			time.Sleep(10 * time.Millisecond)
			return false
		}))
		require.NoError(t, err)
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestTheLimitOfABatchFallsWithTheRowsItHas(t *testing.T) {
	var limits []int64
	info := rxcql.StageInfo{Name: "Asking"}
	asking := rxcql.Lift(count(1000, 3), info, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return keeping[int]{out, func([]int) { limits = append(limits, flow.DemandOf(out)) }}
	})
	collect(t, operators.Take(operators.Batch(asking, operators.BatchRows(10)), 2))
	require.Equal(t, []int64{20, 17, 14, 11, 8, 5, 2}, limits)
}

// holdingSink ends no reservation before Flush.
type holdingSink struct {
	lateSink
	reservations []*flow.Reservation
	report       func() rxcql.Report
	early        int64 // pages settled before Flush that had rows
}

func (s *holdingSink) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	s.st = r.SinkStage("late")
	s.account = s.st.Account(true)
	return s, nil
}

func (s *holdingSink) Write(_ context.Context, p *flow.Page[int]) error {
	if len(p.Rows) > 0 {
		reservation := s.account.Reservation()
		reservation.Take(p.Reservation, 0)
		s.reservations = append(s.reservations, reservation)
	}
	return nil
}

func (s *holdingSink) Flush(context.Context) error {
	rep := s.report()
	s.early = rep.PagesSettled - rep.EmptyPages
	for _, reservation := range s.reservations {
		reservation.Settle()
	}
	return nil
}

func TestNoPageSettlesBeforeEverythingMadeOfItIsDurable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := &chain{
			s:      count(rapid.IntRange(0, 200).Draw(rt, "rows"), rapid.IntRange(1, 40).Draw(rt, "page")),
			inputs: map[string][]string{}, numbers: map[string]int{},
		}
		c.stage("Seq")
		for range rapid.IntRange(1, 4).Draw(rt, "length") {
			c.growBy(rt, rapid.SampledFrom([]string{
				"Map", "Scan", "Reduce", "Tap", "Batch", "Batch timed", "GroupAdjacent", "MapConcurrent", "Unordered", "Merge", "MergeSorted", "MergeJoin",
			}).Draw(rt, "verb"), func() error { return nil })
		}
		sink := &holdingSink{}
		p, err := rxcql.New(c.s, sink)
		require.NoError(rt, err)
		sink.report = p.Progress
		rep, err := p.Run(context.Background())
		require.NoError(rt, err)
		require.LessOrEqual(rt, sink.early, int64(0), "%v", rep)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
	})
}

func TestAReadThatIsLeftWhileATimedBatchWaitsEnds(t *testing.T) {
	ch := make(chan int, 1)
	ch <- 1
	for rows, err := range operators.Batch(source.Chan(ch), operators.BatchLinger(time.Millisecond)).All(context.Background()) {
		require.NoError(t, err)
		require.Equal(t, []int{1}, rows)
		break
	}
}
