package rxcql_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/saved"
)

// readings are rows of one key, with ids from first on.
func readings(first int, at ...int) (rows []reading) {
	for i, at := range at {
		rows = append(rows, reading{ID: first + i, At: at})
	}
	return rows
}

// killed runs the job until a row comes to the windows.
func (j *windowJob) killed(t *testing.T, before int) {
	t.Helper()
	j.killBefore(before)
	_, err := j.run(context.Background())
	require.ErrorIs(t, err, errKilled)
}

// completes runs the job to its end.
func (j *windowJob) completes(t *testing.T) {
	t.Helper()
	rep, err := j.run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
}

func (j *windowJob) state(t *testing.T) *saved.State {
	t.Helper()
	state, err := j.store.State("job")
	require.NoError(t, err)
	return state
}

// part returns how far a part is.
func (j *windowJob) part(t *testing.T, n int) saved.Part {
	t.Helper()
	parts := j.state(t).Sources[0].Parts
	require.Greater(t, len(parts), n)
	return parts[n]
}

func savedAt(seconds int64) *int64 {
	at := seconds * 1_000_000
	return &at
}

// A row of a page that is read again may have been counted in one of its windows and not in the
// next. One that comes after what was read was counted in none.
func TestOnReplayARowIsDroppedFromDurableWindowsAloneAndOneThatWasNeverReadIsLate(t *testing.T) {
	for pageRows := 1; pageRows <= 7; pageRows++ {
		alone(t, fmt.Sprintf("pages of %d", pageRows), func(t *testing.T) {
			j := newWindowJob(10, 5, readings(0, 1, 5, 12, 13, 3, 30))
			j.parts.PageRows = 1
			j.killed(t, 4)
			state := j.state(t)
			require.Equal(t, savedAt(13), state.Frontiers[0].UpTo)
			require.Equal(t, int64(1), j.part(t, 0).Rows, "row 1 is in the window from 5 too")
			require.Equal(t, int64(4), j.part(t, 0).Read)
			require.Empty(t, j.lateRows)

			j.parts.PageRows = pageRows
			j.completes(t)
			require.Equal(t, map[window][]int{{Start: -5}: {4}, {Start: 0}: {4}}, j.lateRows)
			require.Equal(t, map[window][]int{
				{Start: -5}: {0}, {Start: 0}: {0, 1}, {Start: 5}: {1, 2, 3}, {Start: 10}: {2, 3}, {Start: 25}: {5}, {Start: 30}: {5},
			}, j.table())
		})
	}
}

// The window from 0 is given again in run 2, without row 3: its part is read more slowly there. If
// the frontier moved then, run 3 would take row 3 for counted, as the position of run 1 says.
func TestTheFrontierStaysWhereItWasUntilAllHasBeenReadAgainThatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 5, 30), readings(2, 25, 4, 35))
		j.parts.PageRows = 1
		j.parts.Order = []int{0, 1, 1, 0}
		j.killed(t, 1)
		require.Equal(t, int64(2), j.part(t, 1).Read)

		j.parts.Order = []int{0, 0, 1}
		j.killed(t, 3)
		require.Equal(t, []int{0}, j.table()[window{}], "given without row 3")
		require.Equal(t, savedAt(5), j.state(t).Frontiers[0].UpTo)

		j.parts.Order = nil
		j.completes(t)
		if !slices.Contains(j.table()[window{}], 3) {
			require.Contains(t, j.lateRows[window{}], 3)
		}
		require.Contains(t, j.table()[window{}], 0)
	})
}

// All windows were given, since the files had ended, and then the run failed. The files have grown
// when the job goes on.
func TestAJobThatIsNotCompleteHasNoFrontierBehindAllWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 5, 12))
		j.parts.Grows, j.parts.KeepsEnd = true, true
		j.to.flush = func() error { return errTest }
		_, err := j.run(context.Background())
		require.ErrorIs(t, err, errTest)
		require.Equal(t, map[window][]int{{Start: 0}: {0, 1}, {Start: 10}: {2}}, j.table())
		require.Equal(t, savedAt(20), j.state(t).Frontiers[0].UpTo, "the end of the last window")

		j.to.flush = nil
		j.parts.Rows[0] = append(j.parts.Rows[0], readings(3, 15, 27)...)
		j.completes(t)
		require.Equal(t, map[window][]int{{Start: 0}: {0, 1}, {Start: 10}: {2}, {Start: 20}: {4}}, j.table())
		require.Equal(t, map[window][]int{{Start: 10}: {3}}, j.lateRows)
		require.Equal(t, int64(saved.Forever), *j.state(t).Frontiers[0].UpTo)
	})
}

func TestNoEarlyResultReplacesOneOfMoreRowsAfterAResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 2, 3, 4, 5, 6, 12))
		j.early = true
		j.parts.PageRows = 1
		j.killed(t, 4)
		before := len(j.to.durable)
		require.Equal(t, []int{0, 1, 2, 3}, j.table()[window{}])
		require.Equal(t, "early", j.to.rows[window{}].Kind)

		j.completes(t)
		require.Equal(t, j.whole(), j.table())
		require.Greater(t, len(j.to.durable), before+2, "or the test tries nothing")
		for _, row := range j.to.durable[before:] {
			if row.window == (window{}) {
				require.Subset(t, row.IDs, []int{0, 1, 2, 3})
			}
		}
	})
}

// A late row that went to a sink of its own is not durable there when the run ends.
func TestALateRowIsLateAgainIfItWasNotDurableAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 12, 2, 13, 25))
		j.parts.PageRows = 1
		var sent []*flow.Receipt
		j.lateGoesTo = func(r *flow.Receipt) { sent = append(sent, r) }
		j.killed(t, 4)
		require.Len(t, sent, 1)
		require.Equal(t, int64(2), j.part(t, 0).Read, "up to the late row")

		j.lateGoesTo = func(r *flow.Receipt) { r.Settle() }
		j.completes(t)
		require.Equal(t, map[window][]int{{Start: 0}: {2, 2}}, j.lateRows)
		require.Equal(t, map[window][]int{{Start: 0}: {0}, {Start: 10}: {1, 3}, {Start: 20}: {4}}, j.table())
	})
}

// Rows 0 and 1 were counted, and the watermark behind them closed their window, while row 2 of
// their page had not come to the windows. So nothing of the page counts as read, and if the
// frontier had moved, rows 0 and 1 would be taken for late.
func TestAPageThatHasPartlyComeToTheWindowsHoldsTheFrontierBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 2, 12, 13, 14, 25))
		j.between, j.parts.PageRows = lagging, 3
		j.killed(t, 2)
		require.Equal(t, map[window][]int{{}: {0, 1}}, j.table())
		require.Nil(t, j.state(t).Frontiers[0].UpTo)
		require.Empty(t, j.state(t).Sources[0].Parts)

		j.completes(t)
		require.Equal(t, j.whole(), j.table())
		require.Empty(t, j.lateRows)
	})
}

// Windows of the first part cannot close before the second goes on, and that is read last.
func TestWindowsThatWaitForAnotherPartHoldPagesUpToTheBoundAndNeverWait(t *testing.T) {
	alone(t, "below the bound", func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, slices.Repeat([]int{3}, 200)...), readings(200, 15))
		j.parts.PageRows, j.parts.Order = 1, slices.Repeat([]int{0}, 200)
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointHeldPages(201)}
		j.completes(t)
		require.Equal(t, j.whole(), j.table())
	})
	alone(t, "beyond it", func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, slices.Repeat([]int{3}, 200)...), readings(200, 15))
		j.parts.PageRows, j.parts.Order = 1, slices.Repeat([]int{0}, 200)
		j.opts = []rxcql.CheckpointOption{rxcql.CheckpointHeldPages(100)}
		rep, err := j.run(context.Background())
		var full *flow.FrontierFullError
		require.ErrorAs(t, err, &full)
		require.ErrorIs(t, err, flow.ErrFrontierFull)
		require.Equal(t, int64(101), full.Pages)
		require.ErrorContains(t, err, "Windowed")
		require.ErrorContains(t, err, "CheckpointHeldPages")
		require.Equal(t, int64(101), rep.HeldPages)
		require.Contains(t, rep.String(), "101 pages")
	})
}

func TestAStoppedJobWithWindowsEndsWithoutAnErrorAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 5, 12, 13, 25))
		j.parts.PageRows = 1
		p, err := j.pipeline()
		require.NoError(t, err)
		j.windows.parts = 1
		j.before = func(rows []reading) error {
			if rows[0].ID == 3 {
				p.Stop()
			}
			return nil
		}
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.Equal(t, map[window][]int{{}: {0, 1}}, j.table())
		j.before = nil
		j.completes(t)
		require.Equal(t, j.whole(), j.table())
	})
}

func TestAStageThatHasAFrontierAndDoesNotSaySoEndsTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 12))
		hidden := rxcql.Lift(j.stream(j.rows()), rxcql.StageInfo{Name: "Hidden"}, func(st *rxcql.Stage, out flow.Observer[result]) flow.Observer[result] {
			st.Frontier()
			return out
		})
		_, err := rxcql.Run(context.Background(), hidden, rxcql.Sink[result](j.to), rxcql.WithCheckpoint(j.store, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable)
		require.ErrorContains(t, err, "Hidden")
		require.ErrorContains(t, err, "StageInfo.Frontier")
	})
}

func TestWindowsOfAnotherSizeAreRefused(t *testing.T) {
	for name, change := range map[string]struct {
		to   func(j *windowJob)
		says string
	}{
		"another size": {func(j *windowJob) { j.facts = []rxcql.Fact{{Name: "size", Value: "20s"}} }, `stage Windowed: size was "10s" and is "20s"`},
		"a gap":        {func(j *windowJob) { j.facts = append(j.facts, rxcql.Fact{Name: "gap", Value: "1s"}) }, "gap"},
	} {
		alone(t, name, func(t *testing.T) {
			j := newWindowJob(10, 10, readings(0, 1, 12, 25))
			j.parts.PageRows = 1
			j.facts = []rxcql.Fact{{Name: "size", Value: "10s"}}
			j.killed(t, 2)
			read := j.parts.Read
			change.to(j)
			_, err := j.run(context.Background())
			require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
			require.ErrorContains(t, err, change.says)
			require.Equal(t, read, j.parts.Read, "nothing is read")
		})
	}
	alone(t, "no windows any more", func(t *testing.T) {
		j := newWindowJob(10, 10, readings(0, 1, 12, 25))
		j.parts.PageRows = 1
		j.killed(t, 2)
		none := mapped(timed(j.parts.Stream(), 0, 0), func(row reading) result { return result{IDs: []int{row.ID}} })
		_, err := rxcql.Run(t.Context(), none, rxcql.Sink[result](j.to), rxcql.WithCheckpoint(j.store, "job"))
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, "windows")
	})
}
