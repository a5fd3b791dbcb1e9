package operators_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
)

// These are the rules of flow.Frontier, as Window keeps them. Each is a case that gave a wrong
// table without it.

// Row 2 is in a window that is durable and in one that is not. Row 5 comes for windows that are
// durable, and no run had read it before.
func TestOnReplayWindowLeavesARowOutOfDurableWindowsAloneAndOneThatWasNeverReadIsLate(t *testing.T) {
	for pageRows := 1; pageRows <= 7; pageRows++ {
		j := newRuledJob(operators.Hopping(10*time.Second, 5*time.Second), rowsAt(1, 5, 12, 13, 3, 30))
		j.brokenOff(t, 5)
		require.Equal(t, []string{"0 Final -5-5 [1]", "0 Final 0-10 [1 2]"}, j.given)
		require.Empty(t, j.late)

		j.parts.PageRows = pageRows
		rep := j.completes(t)
		require.Equal(t, []int{5}, j.late, "pages of %d", pageRows)
		require.EqualValues(t, 1, rep.LateRows)
		require.Equal(t, map[string][]int{
			"0 -5-5": {1}, "0 0-10": {1, 2}, "0 5-15": {2, 3, 4}, "0 10-20": {3, 4}, "0 25-35": {6}, "0 30-40": {6},
		}, j.sorted())
		require.NotContains(t, strings.Join(j.given, "\n"), " 0-10 ", "it is durable")
	}
}

// Without that the table would go back to a result of fewer rows, for as long as the run takes to
// come to the others.
func TestNoEarlyAndNoCorrectedResultOfWindowComesBeforeAllIsReadAgain(t *testing.T) {
	for name, c := range map[string]struct {
		times    []int
		opt      operators.WindowOption
		breaksAt int
		last     string // of the window from 0, before the run ends
		has      []int  // the rows in it
	}{
		"early":     {[]int{1, 2, 3, 4, 5, 6, 12}, operators.EarlyResults(time.Second), 5, "0 Early 0-10 [1 2 3 4]", []int{1, 2, 3, 4}},
		"corrected": {[]int{1, 12, 2, 13, 3, 14, 60}, operators.AllowedLateness(30 * time.Second), 6, "0 Corrected 0-10 [1 3 5]", []int{1, 3, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newRuledJob(operators.Tumbling(10*time.Second), rowsAt(c.times...))
			j.opts = []operators.WindowOption{c.opt}
			j.brokenOff(t, c.breaksAt)
			require.Equal(t, c.last, j.given[len(j.given)-1])
			var again [][]int
			j.table.seen = func(r operators.WindowResult[int, []int]) {
				if r.Start.Unix() == 0 {
					again = append(again, slices.Clone(r.Value))
				}
			}
			j.completes(t)
			require.NotEmpty(t, again)
			for _, numbers := range again {
				require.Subset(t, numbers, c.has)
			}
			require.Equal(t, windowsOf(j.parts.Rows[0], "Tumbling"), j.sorted())
			require.Empty(t, j.late)
		})
	}
}

// A window that may still be corrected is not durable in the sense of the checkpoint, though its
// result is: the rows of it are read again, up to the lateness.
func TestAPageOfWindowIsHeldUntilItsWindowCanBeCorrectedNoMore(t *testing.T) {
	for before, settled := range map[int]int64{3: 0, 4: 0, 5: 1} {
		j := newRuledJob(operators.Tumbling(10*time.Second), rowsAt(1, 12, 14, 15, 30))
		j.opts = []operators.WindowOption{operators.AllowedLateness(5 * time.Second)}
		j.brokenOff(t, before)
		require.Equal(t, []string{"0 Final 0-10 [1]"}, j.given)
		require.Equal(t, settled, j.state(t).Sources[0].Parts[0].Rows, "before row %d", before)
		require.EqualValues(t, before-1, j.state(t).Sources[0].Parts[0].Read)
	}
}

// All windows were given at the end of the files, and then the run failed. The files grow.
func TestTheFrontierOfWindowIsBehindAllWindowsOnlyInAJobThatIsComplete(t *testing.T) {
	j := newRuledJob(operators.Tumbling(10*time.Second), rowsAt(1, 5, 12))
	j.parts.Grows, j.parts.KeepsEnd = true, true
	j.flush = errSink
	_, err := j.run()
	require.ErrorIs(t, err, errSink)
	require.Equal(t, []string{"0 Final 0-10 [1 2]", "0 Final 10-20 [3]"}, j.given)
	require.EqualValues(t, 20_000_000, *j.state(t).Frontiers[0].UpTo, "the end of the last window")

	j.flush = nil
	j.parts.Rows[0] = append(j.parts.Rows[0], stamped{number: 4, at: 15}, stamped{number: 5, at: 27})
	j.completes(t)
	require.Equal(t, []string{"0 Final 20-30 [5]"}, j.given)
	require.Equal(t, []int{4}, j.late, "its window was given")
	require.EqualValues(t, saved.Forever, *j.state(t).Frontiers[0].UpTo)
}

// longStay has a session of key 0 that goes on all the time, so the frontier stays before its first
// row. What is durable of the other keys is known by key.
func longStay() *ruledJob {
	return newRuledJob(operators.Session(10*time.Second), []stamped{
		{key: 0, at: 0}, {key: 1, at: 1}, {key: 0, at: 8}, {key: 0, at: 16}, {key: 1, at: 17}, {key: 0, at: 24}, {key: 2, at: 25},
		{key: 0, at: 32}, {key: 3, at: 33}, {key: 0, at: 40}, {key: 0, at: 60},
	})
}

func TestASessionOfWindowThatIsDurableIsNotGivenAgainThoughTheFrontierIsBeforeIt(t *testing.T) {
	j := longStay()
	j.opts = []operators.WindowOption{operators.MergeStates(bothTimes)}
	j.brokenOff(t, 8)
	require.Equal(t, []string{"1 Final 1-11 [2]"}, j.given)
	frontier := j.state(t).Frontiers[0]
	require.Less(t, *frontier.UpTo, int64(10_000_000), "before the end of the first row alone")
	require.Len(t, frontier.Sessions, 1)
	require.Zero(t, j.state(t).Sources[0].Parts[0].Rows)

	j.completes(t)
	require.NotContains(t, strings.Join(j.given, "\n"), "1 Final 1-11")
	require.Equal(t, map[string][]int{
		"0 0-50": {1, 3, 4, 6, 8, 10}, "0 60-70": {11}, "1 1-11": {2}, "1 17-27": {5}, "2 25-35": {7}, "3 33-43": {9},
	}, j.sorted())
	require.Empty(t, j.late)
}

// Rows 4 and 5 come for a session that the checkpoint knows to be durable, though the frontier is
// before them, and no run had read them. Row 6 comes where that session ends, and is of another.
func TestARowBeforeTheSavedEndOfItsSessionThatWasNeverReadIsLateAndInNoSession(t *testing.T) {
	for pageRows := range 8 {
		j := newRuledJob(operators.Session(10*time.Second), []stamped{
			{key: 1, at: 1}, {key: 0, at: 2}, {key: 0, at: 11}, {key: 1, at: 5}, {key: 1, at: 10}, {key: 1, at: 11}, {key: 0, at: 60},
		})
		j.opts = []operators.WindowOption{operators.MergeStates(bothTimes)}
		if pageRows > 0 { // else the job is not broken off
			j.brokenOff(t, 4)
			require.Equal(t, []string{"1 Final 1-11 [1]"}, j.given)
			require.Empty(t, j.late)
			frontier := j.state(t).Frontiers[0]
			require.Less(t, *frontier.UpTo, int64((5+10)*1_000_000), "row 4 is not behind it")
			require.Len(t, frontier.Sessions, 1)
			require.EqualValues(t, 3, j.state(t).Sources[0].Parts[0].Read)
			j.parts.PageRows = pageRows
		}
		rep := j.completes(t)
		require.Equal(t, []int{4, 5}, j.late, "pages of %d", pageRows)
		require.EqualValues(t, 2, rep.LateRows)
		require.Equal(t, map[string][]int{"0 2-21": {2, 3}, "0 60-70": {7}, "1 1-11": {1}, "1 11-21": {6}}, j.sorted(), "pages of %d", pageRows)
	}
}

func TestSessionsOfTooManyKeysForACheckpointEndTheJobByName(t *testing.T) {
	j := longStay()
	j.opts = []operators.WindowOption{operators.MergeStates(bothTimes)}
	j.saves = []rxcql.CheckpointOption{rxcql.CheckpointSessions(1)}
	_, err := j.run()
	require.ErrorIs(t, err, flow.ErrFrontierFull)
	failedIn(t, "Window", err)
	require.ErrorContains(t, err, "cannot be resumed")
	require.ErrorContains(t, err, "CheckpointSessions")

	j = longStay()
	j.opts = []operators.WindowOption{operators.MergeStates(bothTimes)}
	j.saves = []rxcql.CheckpointOption{rxcql.CheckpointSessions(3)}
	j.completes(t)
}

// A job with windows has no bound of 64 pages for what waits behind one that is stuck: the rows
// that let go of it may come in any page. It has one of its own, and beyond that it fails and never
// waits.
func TestWindowHoldsAsManyPagesAsItMayAndThenTheJobFails(t *testing.T) {
	for most, fails := range map[int64]bool{100: true, 300: false} {
		j := newRuledJob(operators.Tumbling(10*time.Second), rowsAt(slices.Repeat([]int{3}, 200)...), rowsAt(15))
		j.parts.Order = slices.Repeat([]int{0}, 200)
		j.saves = []rxcql.CheckpointOption{rxcql.CheckpointHeldPages(most)}
		rep, err := j.run()
		if !fails {
			require.NoError(t, err)
			require.Len(t, j.table.rows["0 0-10"], 200)
			require.Zero(t, rep.HeldPages)
			continue
		}
		require.ErrorIs(t, err, flow.ErrFrontierFull)
		failedIn(t, "Window", err)
		require.ErrorContains(t, err, "CheckpointHeldPages")
		require.Empty(t, j.given)
		require.EqualValues(t, most+1, rep.HeldPages)
		require.Contains(t, rep.String(), fmt.Sprint(most+1, " pages"))
	}
}

// The run before was held back by part 1, and has read part 0 as far as row 4. The run that goes on
// gives the window early enough for row 3 to come late for it, and has not read row 4 yet.
func TestACorrectionWaitsUntilAllIsReadAgainThatTheRunBeforeHadRead(t *testing.T) {
	j := newRuledJob(operators.Tumbling(10*time.Second), rowsAt(1, 16, 2, 17, 40, 41), rowsAt(0, 60, 61))
	j.parts.Order = []int{1, 0, 0, 0, 0, 1}
	j.opts = []operators.WindowOption{operators.AllowedLateness(5 * time.Second)}
	j.brokenOff(t, 8)
	require.Empty(t, j.given)
	require.EqualValues(t, 4, j.state(t).Sources[0].Parts[0].Read)

	j.parts.Order = []int{1, 1, 1, 0, 0, 0, 0}
	came := map[int]int{} // how many results had been given when a row came
	j.came = func(r stamped) { came[r.number] = len(j.given) }
	j.completes(t)
	require.Equal(t, []string{"0 Final 0-10 [7 1]", "0 Corrected 0-10 [7 1 3]"}, j.given[:2])
	require.Equal(t, 1, came[3], "or the row does not come late")
	require.Equal(t, 1, came[4], "the correction waits for this row")
}
