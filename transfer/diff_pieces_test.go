package transfer_test

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/transfer"
)

// Both servers fail at random, in the middle of a range too, and the diff goes on under other
// splits and workers each time: it finds each difference once.
func TestADiffAmongTombstonesGoesOn(t *testing.T) {
	interrupted := 0
	eachDiff(t, 4, func(t *testing.T, left, right *gravetest.Table) {
		left.Each, right.Each = 20*time.Millisecond, 20*time.Millisecond
		folder := filepath.Join(t.TempDir(), "diff")
		for run := 0; ; run++ {
			require.Less(t, run, 200)
			left.FailAfter(5 + left.Random.IntN(60) + 5*run)
			right.FailAfter(5 + left.Random.IntN(60) + 5*run)
			report, err := diffOf(t, left, right, folder, transfer.WithRun(rxcql.WithRetry(0, 0)))
			if err == nil {
				require.True(t, report.Complete)
				interrupted += run
				break
			}
		}
		want, parts := wantedDifferences(left, right)
		found, unreadParts := foundDifferences(t, folder)
		require.Equal(t, want, found)
		require.Equal(t, parts, unreadParts)
	})
	require.Positive(t, interrupted)
}

// Pages are read again, in other pieces, and each row is summed up once.
func TestTheSumsOfADiffThatIsInterruptedAreThoseOfOneThatIsNot(t *testing.T) {
	interrupted := 0
	eachDiff(t, 6, func(t *testing.T, left, right *gravetest.Table) {
		for _, g := range []*gravetest.Table{left, right} {
			g.Clear(slices.DeleteFunc(slices.Clone(g.Graves()), g.Unreadable)...)
			g.Each = 20 * time.Millisecond
		}
		folder := t.TempDir()
		sums := func(name string) (transfer.DiffReport, []transfer.RangeSum, error) {
			report, err := diffOf(t, left, right, filepath.Join(folder, name), transfer.WithRun(rxcql.WithRetry(0, 0)))
			if err != nil {
				return report, nil, err
			}
			all, err := transfer.RangeSums(filepath.Join(folder, name)).Collect(t.Context())
			require.NoError(t, err)
			return report, all, nil
		}
		var got []transfer.RangeSum
		var report transfer.DiffReport
		err := errors.New("not begun")
		for run := 0; err != nil; run++ {
			require.Less(t, run, 200)
			left.FailAfter(5 + left.Random.IntN(30) + 5*run)
			right.FailAfter(5 + left.Random.IntN(30) + 5*run)
			report, got, err = sums("interrupted")
			interrupted++
		}
		left.FailAfter(1 << 30)
		right.FailAfter(1 << 30)
		left.Clear()
		right.Clear()
		_, want, err := sums("at once")
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.EqualValues(t, len(left.Rows), report.SourceRows)
		require.EqualValues(t, len(right.Rows), report.TargetRows)
	})
	require.Greater(t, interrupted, 6)
}

// What a diff could not read is named for a repair as a range: that compares it, and says of what
// still cannot be read that it is not repaired.
func TestARepairOfARangeThatCannotBeReadSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, right := gravetest.Pair(t, 3)
		left.BuryAt(left.Rows[slices.Min(slices.Collect(maps.Keys(left.Rows)))])
		folder := t.TempDir()
		report, err := diffOf(t, left, right, filepath.Join(folder, "diff"))
		require.NoError(t, err)
		require.Positive(t, report.Unread)
		job, err := transfer.Repair(transfer.Table{Session: left.Session, Name: "ks.t"}, transfer.Table{Session: right.Session, Name: "ks.t"},
			filepath.Join(folder, "diff", "differences.ndjson"), filepath.Join(folder, "repair"))
		require.NoError(t, err)
		repaired, err := job.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Unread, repaired.Unreadable)
		require.False(t, repaired.Repaired())
	})
}
