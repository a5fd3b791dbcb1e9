package operators_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// GroupBy hands on its groups at the end, and before it what its input has said of event time would
// make most of them late.
func TestWindowsBehindGroupByHaveEachGroupOnceAndNoneIsLate(t *testing.T) {
	in := script("One",
		happening{part: 0, at: []int{1, 12}, mark: 12},
		happening{part: 1, at: []int{3, 31}, mark: 30},
		happening{part: 0, at: []int{25, 36}, mark: 36},
		happening{part: 1, at: []int{33}, last: true},
		happening{part: 0, at: []int{50}, last: true},
	)
	type firsts = operators.Group[int, int]
	groups := operators.GroupBy(in, func(e timed) int { return e.at % 5 }, func() int { return 1 << 30 },
		func(first int, e timed) (int, error) { return min(first, e.at), nil }, operators.GroupByGroups(10))
	windows := operators.Window(groups, operators.Tumbling(10*time.Second), func(g firsts) time.Time { return time.Unix(int64(g.Value), 0) },
		func(firsts) int { return 0 }, noTimes, func(all []int, g firsts) ([]int, error) { return append(all, g.Value), nil }, operators.WindowKeys(10))
	out := &gather[timesIn]{}
	rep, err := rxcql.Run(t.Context(), windows, out)
	require.NoError(t, err)
	var got []string
	for _, r := range out.rows() {
		got = append(got, showWindow(r))
	}
	require.Equal(t, []string{"0: 0-10 [1 3]", "0: 10-20 [12]", "0: 20-30 [25]"}, got)
	require.Zero(t, rep.LateRows)
	require.True(t, rep.Complete)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.HeldPages)
	require.Zero(t, rep.BytesInFlight)
}

// The parts of the stream that has failed are open for ever, and hold event time back no more. What
// it has let end is over for the other stream too.
func TestWindowsBehindRecoverGoOnWithTheEventTimeOfTheOtherStream(t *testing.T) {
	first := operators.Map(script("A",
		happening{part: 0, at: []int{1, 2}, mark: 2},
		happening{part: 1, at: []int{13}, mark: 13},
		happening{part: 0, at: []int{14}, mark: 14},
		happening{part: 1, at: []int{24}, mark: 24},
	), func(e timed) (timed, error) {
		if e.at == 24 {
			return e, errStays
		}
		return e, nil
	})
	other := script("B",
		happening{part: 0, at: []int{5, 15}, mark: 15}, // 5 is late
		happening{part: 0, at: []int{21}, mark: 21},
		happening{part: 0, at: []int{33}, mark: 33},
		happening{part: 0, at: []int{34}, last: true},
	)
	var events []string
	seen := func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
		return operators.Tap(in, func(e timed) error { events = append(events, fmt.Sprint("row ", e.at)); return nil })
	}
	one := func(timed) int { return 0 }
	windows := operators.Window(seen(operators.Recover(first, other)), operators.Tumbling(10*time.Second), momentOf, one, noTimes, addTime, operators.WindowKeys(10))
	rep, err := rxcql.Run(t.Context(), operators.Tap(windows, func(r timesIn) error { events = append(events, showWindow(r)); return nil }), &gather[timesIn]{})
	require.NoError(t, err)
	require.Equal(t, []string{
		"row 1", "row 2", "row 13", "row 14", "0: 0-10 [1 2]",
		"row 5", "row 15", "row 21", "0: 10-20 [13 14 15]", "row 33", "0: 20-30 [21]", "row 34", "0: 30-40 [33 34]",
	}, events)
	require.EqualValues(t, 1, rep.LateRows)
	require.Equal(t, "Recover", rep.EndedBy)
	require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
	require.Zero(t, rep.HeldPages)
	require.Zero(t, rep.BytesInFlight)
}

// No checkpoint says which of its streams Recover had gone over to. Retry would bring rows again
// that the windows have counted and that are not settled. What is said is to run the job again, and
// that is enough.
func TestInAJobWindowsAreNeitherBehindRecoverNorBehindRetryAndGoOnWithoutThem(t *testing.T) {
	parts := &jobtest.Parts[stamped]{PageRows: 1, Rows: [][]stamped{{{1, 0, 1}, {2, 0, 5}, {3, 0, 12}, {4, 0, 18}, {5, 0, 24}, {6, 0, 31}}}}
	store, table, fails := &jobtest.Store{}, &upserted{rows: map[string][]int{}}, true
	job := func(put func(in rxcql.Stream[stamped]) rxcql.Stream[stamped]) error {
		rows := operators.Map(put(operators.EventTime(parts.Stream(), stampedAt)), func(r stamped) (stamped, error) {
			if fails && r.number == 5 {
				return r, errPasses
			}
			return r, nil
		})
		windows := operators.Window(rows, operators.Tumbling(10*time.Second), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10))
		_, err := rxcql.Run(t.Context(), windows, sink.Each(func(_ context.Context, r timesIn) error { return table.upsert(r) }, sink.Idempotent(), sink.InFlight(1)),
			rxcql.WithCheckpoint(store, "job"))
		return err
	}
	for remedy, put := range map[string]func(in rxcql.Stream[stamped]) rxcql.Stream[stamped]{
		"leave it out, since a job that has failed goes on when it is run again": func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
			return operators.Recover(in, operators.EventTime(manyStamped().Stream(), stampedAt))
		},
		"Retry": func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] { return operators.Retry(in, atOnce()...) },
	} {
		err := job(put)
		require.ErrorIs(t, err, rxcql.ErrNotResumable)
		require.ErrorContains(t, err, remedy)
		t.Log(err)
		require.Zero(t, parts.Read, "it is refused before anything is read")
	}
	asItIs := func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] { return in }
	require.ErrorIs(t, job(asItIs), errPasses)
	require.Len(t, table.rows, 1, "a window is durable, and others had begun")
	fails = false
	require.NoError(t, job(asItIs))
	require.Equal(t, windowsOf(parts.Rows[0], "Tumbling"), table.rows)
}
