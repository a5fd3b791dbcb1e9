package operators_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestAWindowIsNotHandedOnAMicrosecondBeforeItsEnd(t *testing.T) {
	moment := func(mark int) []string {
		pages, _ := pagesOut(t, inWindows(script("One",
			happening{at: []int{1}, mark: mark},
			happening{at: []int{2}, last: true},
		), operators.Tumbling(10*time.Second).Offset(time.Microsecond)))
		return showPages(pages)
	}
	require.Equal(t, "0: 0-10 [1 2]", moment(10)[1], "the window ends a microsecond behind 10")
	require.Equal(t, "0: 0-10 [1]", moment(11)[0])
}

func TestAPartIsNotIdleWhileResultsOfItAreToCome(t *testing.T) {
	pages := []happening{
		{part: 0, idle: 1, mark: 1},
		{part: 0, at: []int{4}, idle: 5, mark: 4},
		{part: 0, idle: 6, mark: 5},
		{part: 0, at: []int{12}, idle: 12, mark: 12}, // a window ends, and another is open
		{part: 0, idle: 13, mark: 13},
		{part: 0, last: true},
	}
	for name, s := range map[string]rxcql.Stream[timesIn]{
		"Window":         inWindows(script("A", pages...), operators.Tumbling(10*time.Second)),
		"WindowAdjacent": operators.WindowAdjacent(script("A", pages...), operators.Tumbling(10*time.Second), momentOf, partOf, noTimes, addTime),
	} {
		begun, results := false, 0
		out, _ := pagesOut(t, s)
		for _, p := range out {
			begun = begun || p.Watermark.Known() && !p.Watermark.Before(markAt(4)) || len(p.Rows) > 0
			if results += len(p.Rows); begun && results < 2 {
				require.Nil(t, p.Idle, "%s: %+v", name, p.Advance)
			}
		}
		require.Equal(t, 2, results, name)
	}
}

func TestAPageWithALateRowIsSettledWhenTheRowIsDurable(t *testing.T) {
	in := script("One",
		happening{at: []int{25}, mark: 20},
		happening{at: []int{5}}, // late, and nothing else of its page is kept
		happening{mark: 21},
		happening{mark: 40},
	)
	both := operators.WindowWithLate(in, operators.Tumbling(10*time.Second), momentOf, partOf, noTimes, addTime, operators.WindowKeys(100))
	out := &holdingSink{}
	p, err := rxcql.New(operators.Map(both, func(o operators.WindowOrLate[timed, int, []int]) (int, error) { return o.Row.at, nil }), out)
	require.NoError(t, err)
	out.report = p.Progress
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.LessOrEqual(t, out.early, int64(0), "pages that are settled before what became of them is durable")
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.EqualValues(t, 1, rep.LateRows)
}

// What a run that goes on gives is never of fewer rows than what the run before has written of the
// window, since it waits until all has been read again.
func TestARunThatGoesOnReplacesNoResultByOneOfFewerRows(t *testing.T) {
	for name, opt := range map[string]operators.WindowOption{
		"early results":    operators.EarlyResults(2 * time.Second),
		"allowed lateness": operators.AllowedLateness(time.Minute),
	} {
		parts := &jobtest.Parts[stamped]{PageRows: 1, Rows: [][]stamped{{
			{1, 0, 1}, {2, 0, 3}, {3, 0, 5}, {4, 0, 7}, {5, 0, 12}, {6, 0, 4}, {7, 0, 13}, {8, 0, 90},
		}}}
		if name == "early results" { // whose windows are over when they end
			parts.Rows[0] = slices.Delete(parts.Rows[0], 4, 6)
		}
		store, table := &jobtest.Store{}, map[int64][]int{}
		run := func(fails bool) error {
			rows := operators.EventTime(parts.Stream(), stampedAt)
			disturbed := operators.Tap(rows, func(r stamped) error {
				if fails && r.number == 7 {
					return errUser
				}
				return nil
			})
			results := operators.Window(disturbed, operators.Tumbling(10*time.Second), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10), opt)
			_, err := rxcql.Run(t.Context(), results, sink.Each(func(_ context.Context, r timesIn) error {
				require.GreaterOrEqual(t, len(r.Value), len(table[r.Start.Unix()]), "%s: %v", name, r)
				table[r.Start.Unix()] = slices.Clone(r.Value)
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
			return err
		}
		require.ErrorIs(t, run(true), errUser)
		require.Greater(t, len(table[0]), 2, name)
		require.NoError(t, run(false))
		require.Greater(t, len(table[0]), 3, name)
	}
}

func TestAJobThatHoldsMorePagesThanItMayEndsWithAnError(t *testing.T) {
	left, right := manyStamped(), manyStamped()
	left.Name, right.Name = "Left", "Right"
	for name, job := range map[string]foldJob{
		"Window": foldInto(operators.Window(left.Stream(), operators.Tumbling(time.Hour), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10)),
			sink.Each(func(context.Context, timesIn) error { return nil }, sink.Idempotent())),
		"IntervalJoin": foldInto(nearStamped(left.Stream(), right.Stream()),
			sink.Each(func(context.Context, stampedPair) error { return nil }, sink.Idempotent())),
	} {
		p, err := job(rxcql.WithCheckpoint(&jobtest.Store{}, "job", rxcql.CheckpointHeldPages(5)))
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		require.ErrorIs(t, err, flow.ErrFrontierFull, name)
		failedIn(t, name, err)
	}
}
