package rxcql_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
)

// somePartsOfReadings draws parts whose rows are out of order by at most slack, or, if rows may be
// late, by more than that now and then.
func somePartsOfReadings(rt *rapid.T, slack int, late bool) (parts [][]reading) {
	id := 0
	for range rapid.IntRange(1, 4).Draw(rt, "parts") {
		var rows []reading
		at := rapid.IntRange(-20, 20).Draw(rt, "begins at")
		for range rapid.IntRange(0, 25).Draw(rt, "rows") {
			at += rapid.IntRange(0, 8).Draw(rt, "step")
			row := reading{ID: id, Key: rapid.IntRange(0, 2).Draw(rt, "key"), At: at - rapid.IntRange(0, slack).Draw(rt, "out of order")}
			if late && rapid.IntRange(0, 5).Draw(rt, "late") == 0 {
				row.At -= rapid.IntRange(1, 60).Draw(rt, "late by")
			}
			rows = append(rows, row)
			id++
		}
		parts = append(parts, rows)
	}
	return parts
}

// someWindowJob draws a job with windows over them.
func someWindowJob(rt *rapid.T, late bool) *windowJob {
	slack := rapid.IntRange(0, 12).Draw(rt, "slack")
	size := rapid.SampledFrom([]int{1, 10, 30}).Draw(rt, "size")
	every := size
	if size > 1 {
		every = rapid.SampledFrom([]int{size, size / 2, size / 5}).Draw(rt, "every")
	}
	j := newWindowJob(size, every, somePartsOfReadings(rt, slack, late)...)
	j.slack, j.pause = slack, 4*time.Millisecond
	j.lateness = rapid.SampledFrom([]int{0, 0, 15}).Draw(rt, "lateness")
	j.early = rapid.Bool().Draw(rt, "early")
	j.lags = rapid.Bool().Draw(rt, "lags")
	j.parts.Empty = rapid.Bool().Draw(rt, "empty pages")
	if rapid.IntRange(0, 2).Draw(rt, "other windows") == 0 {
		j.alsoBy(15, 5)
		j.other.to.random = rand.New(rand.NewPCG(3, 4))
	}
	return j
}

// untilComplete runs a job, killed up to ten times, with pages of other sizes in each run.
func (j *windowJob) untilComplete(t *testing.T, rt *rapid.T) {
	for runs := range 11 {
		j.parts.PageRows = rapid.IntRange(1, 7).Draw(rt, "rows of a page")
		j.parts.Seed = rapid.Uint64Range(0, 9).Draw(rt, "order of parts")
		j.to.random = nil
		if seed := rapid.Uint64Range(0, 9).Draw(rt, "order of writes"); seed > 0 {
			j.to.random = rand.New(rand.NewPCG(seed, 2))
		}
		j.killAt = 0
		if runs < 10 {
			j.killAt = rapid.IntRange(1, 150).Draw(rt, "killed at")
		}
		var rep rxcql.Report
		var err error
		synctest.Test(t, func(*testing.T) { rep, err = j.run(context.Background()) })
		if err == nil {
			require.True(rt, rep.Complete)
			require.Zero(rt, rep.HeldPages)
			return
		}
		require.ErrorIs(rt, err, errKilled)
	}
	require.Fail(rt, "an end must come")
}

func TestAJobWithWindowsKilledAnywhereEndsWithTheTableOfOneThatWasNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j := someWindowJob(rt, false)
		j.untilComplete(t, rt)
		require.Equal(rt, j.whole(), j.table())
		require.Empty(rt, j.lateRows, "no row is late in any order of the parts")
		if j.other != nil {
			require.Equal(rt, j.other.whole(), j.other.table())
			require.Empty(rt, j.other.lateRows)
		}
	})
}

func TestEachRowIsCountedOnceInEachOfItsWindowsOrIsLate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		j := someWindowJob(rt, true)
		j.untilComplete(t, rt)
		whole, table := j.whole(), j.table()
		for at, ids := range table {
			require.Subset(rt, whole[at], ids, "%v", at)
			require.Len(rt, slices.Compact(slices.Clone(ids)), len(ids), "%v has a row twice", at)
		}
		for at, ids := range whole {
			for _, id := range ids {
				if !slices.Contains(table[at], id) {
					require.Contains(rt, j.lateRows[at], id, "row %d is neither in the last result of %v nor late", id, at)
				}
			}
		}
	})
}
