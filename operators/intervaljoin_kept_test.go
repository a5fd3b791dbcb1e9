package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestARowIsKeptUntilEventTimeHasPassedItsReachAndIsLateBehindEventTime(t *testing.T) {
	for name, c := range map[string]struct {
		mark    int
		right   int
		pair    bool
		late    int64
		dropped int64
	}{
		"in reach":            {15, 15, true, 0, 0},
		"behind the border":   {15, 16, false, 0, 2},
		"late":                {16, 15, false, 1, 2},
		"of the moment":       {16, 16, false, 0, 2},
		"long before, yet in": {10, 10, true, 0, 0},
	} {
		left, right := inTurns(
			onLeft(happening{at: []int{10}, mark: c.mark}),
			onRight(happening{mark: c.mark}),
			onRight(happening{at: []int{c.right}}),
		)
		told := 0
		hooks := rxcql.WithHooks(rxcql.Hooks{RowsLate: func(_ context.Context, e rxcql.LateEvent) {
			require.Equal(t, "IntervalJoin", e.Stage)
			told += e.Rows
		}})
		out := &gather[timedPair]{}
		rep, err := rxcql.Run(t.Context(), near(left, right, noKey, 0, 5), out, hooks)
		require.NoError(t, err, name)
		require.Len(t, out.rows(), btoi(c.pair), name)
		require.Equal(t, []int64{c.late, c.late, c.dropped}, []int64{rep.LateRows, int64(told), rep.Filtered}, name)
		require.Equal(t, rep.Pages, rep.PagesSettled, name)
	}
}

// The bound shows what is kept.
func TestNoMoreIsKeptThanCanBeReached(t *testing.T) {
	for name, c := range map[string]struct {
		lower, upper int
		turns        []turn
		full         bool
	}{
		"a row that has gone": {0, 5, []turn{
			onLeft(happening{at: []int{10}, mark: 16}), onRight(happening{mark: 16}), onLeft(happening{at: []int{20}}),
		}, false},
		"a row that may still be reached": {0, 5, []turn{
			onLeft(happening{at: []int{10}, mark: 15}), onRight(happening{mark: 15}), onLeft(happening{at: []int{20}}),
		}, true},
		"a right row that has gone": {-5, 0, []turn{
			onRight(happening{at: []int{10}, mark: 16}), onLeft(happening{mark: 16}), onRight(happening{at: []int{20}}),
		}, false},
		"a right row that may still be reached": {-5, 0, []turn{
			onRight(happening{at: []int{10}, mark: 15}), onLeft(happening{mark: 15}), onRight(happening{at: []int{20}}),
		}, true},
		"rows whose partners are all earlier": {-9, -3, []turn{
			onLeft(happening{mark: 10}), onRight(happening{mark: 10}), onLeft(happening{at: []int{10, 11, 12}}),
		}, false},
		"one of them whose partner may come": {-9, -3, []turn{
			onLeft(happening{mark: 10}), onRight(happening{mark: 10}), onLeft(happening{at: []int{13, 14}}),
		}, true},
		"a side that has not begun": {0, 5, []turn{
			onLeft(happening{at: []int{10}, mark: 100}), onLeft(happening{at: []int{200}, mark: 200}),
		}, true},
	} {
		left, right := inTurns(c.turns...)
		_, err := near(left, right, noKey, c.lower, c.upper, operators.IntervalJoinRows(1)).Count(t.Context())
		if !c.full {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, operators.ErrIntervalJoinFull, name)
		require.ErrorContains(t, err, "IntervalJoinRows")
		failedIn(t, "IntervalJoin", err)
	}
}

// waitsToBegin does not begin to read a stream before a channel is closed.
func waitsToBegin(in rxcql.Stream[timed], begin <-chan struct{}) rxcql.Stream[timed] {
	info := rxcql.StageInfo{Name: "Waits", Synchronous: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[timed]) error {
		select {
		case <-begin:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return in.Subscribe(ctx, st, out)
	}, in)
}

func TestASideOfWhichNothingHasComeHoldsEventTimeBack(t *testing.T) {
	for side := range 2 {
		begin, come := make(chan struct{}), make(chan struct{})
		ahead := script("Ahead", happening{at: []int{10}, mark: 100}, happening{mark: 200, then: func(ctx context.Context) error {
			close(begin)
			select {
			case <-come:
			case <-ctx.Done():
			}
			return context.Cause(ctx)
		}})
		behind := waitsToBegin(script("Behind", happening{at: []int{11}, then: func(context.Context) error { close(come); return nil }}), begin)
		sides := []rxcql.Stream[timed]{ahead, behind}
		require.Len(t, shownPairs(t, near(sides[side], sides[1-side], noKey, -5, 5)), 1)
	}
}
