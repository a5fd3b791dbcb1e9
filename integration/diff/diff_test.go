package diff_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/transfer"
)

// diff compares the tables of a test, in a folder of its own.
func (ts *tables) diff(t *testing.T, opts ...transfer.DiffOption) (transfer.DiffReport, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "diff")
	job, err := transfer.Diff(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right},
		folder, append([]transfer.DiffOption{transfer.Pause(0)}, opts...)...)
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Complete)
	return report, folder
}

func TestTransferDiffFindsEachPlantedDifferenceAndNothingElse(t *testing.T) {
	for name, times := range map[string]bool{"values": false, "values and times": true} {
		t.Run(name, func(t *testing.T) {
			ts := makeTables(t)
			want := ts.plant(t, times)
			opts := []transfer.DiffOption{transfer.WithSplits(7)}
			if times {
				opts = append(opts, transfer.WithTimes())
			}
			report, folder := ts.diff(t, opts...)
			same(t, want, found(t, folder))
			require.EqualValues(t, len(want), report.Differences())
			require.False(t, report.Equal())
			require.EqualValues(t, partitions*rows-eachPlanted, report.SourceRows)
			require.EqualValues(t, partitions*rows-eachPlanted, report.TargetRows)
			sums, err := transfer.RangeSums(folder).Collect(t.Context())
			require.NoError(t, err)
			left, differing := int64(0), int64(0)
			for _, s := range sums {
				left += s.SourceRows
				if !s.Same() {
					differing++
				}
			}
			require.Equal(t, report.SourceRows, left)
			require.Equal(t, report.DifferingRanges, differing)
			require.Positive(t, differing)
		})
	}
}

func TestTransferDiffOfEqualTablesIsSilent(t *testing.T) {
	ts := makeTables(t)
	report, folder := ts.diff(t, transfer.WithTimes())
	require.True(t, report.Equal(), report.String())
	require.Empty(t, found(t, folder))
	require.Zero(t, report.DifferingRanges)
	require.Zero(t, report.Candidates)
}

func TestTransferDiffUnderLiveWritesFindsWhatIsPlantedAndNothingElse(t *testing.T) {
	ts := makeTables(t)
	want := ts.plant(t, true)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	var written atomic.Int64
	enough := make(chan struct{})
	for w := range 4 {
		writers.Go(func() { // rows with c = 8 have no planted difference
			for i := 0; ctx.Err() == nil; i++ {
				time := base + 1000 + int64(i)
				for _, table := range []string{ts.left, ts.right} {
					cql := fmt.Sprintf("UPDATE %s USING TIMESTAMP %d SET v = ? WHERE p = ? AND q = 'q' AND c = 8", table, time)
					if err := ts.session.Query(cql, fmt.Sprint(w, i), (i*4+w)%partitions).Exec(); err != nil {
						t.Error(err)
						return
					}
				}
				if written.Add(1) == 200 {
					close(enough)
				}
			}
		})
	}
	<-enough
	report, folder := ts.diff(t, transfer.WithTimes(), transfer.Pause(200*time.Millisecond), transfer.Rereads(20))
	stop()
	writers.Wait()
	same(t, want, found(t, folder))
	require.Zero(t, report.Unstable)
}

func TestTransferDiffCallsARowUnstableThatDiffersInAnotherWayEachTime(t *testing.T) {
	ts := makeTables(t)
	var n atomic.Int64
	hooks := rxcql.WithHooks(rxcql.Hooks{RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context {
		// Before each reading the source has another value, which the target never gets.
		exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET v = 'v%d' WHERE %s", ts.left, base+1+n.Add(1), n.Load(), at(3, 3))
		return ctx
	}})
	report, folder := ts.diff(t, transfer.Rereads(2), transfer.WithRun(hooks))
	require.Equal(t, map[string]transfer.Difference{"3/3": {Cause: transfer.Unstable}}, found(t, folder))
	require.EqualValues(t, 1, report.Unstable)
	require.False(t, report.Equal())
}

func TestTransferDiffGoesOnWhereverItWasInterrupted(t *testing.T) {
	ts := makeTables(t)
	want := ts.plant(t, true)
	folder := filepath.Join(t.TempDir(), "diff")
	errKilled := errors.New("killed")
	runs := 0
	for {
		runs++
		ctx, cancel := context.WithCancelCause(t.Context())
		var saves atomic.Int64
		hooks := rxcql.WithHooks(rxcql.Hooks{SaveEnd: func(context.Context, rxcql.SaveEvent) {
			if saves.Add(1) >= 3 { // the first ones are made before anything is read
				cancel(errKilled)
			}
		}})
		rate := rxcql.NewRate(rxcql.RowsPerSecond(200), rxcql.RateBurst(100*time.Millisecond))
		job, err := transfer.Diff(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right},
			folder, transfer.Pause(0), transfer.WithTimes(), transfer.WithSplits(4+runs%3), transfer.WithWorkers(1+runs%3), transfer.WithRun(hooks), transfer.WithRate(rate))
		require.NoError(t, err)
		report, err := job.Run(ctx)
		cancel(nil)
		if err == nil {
			require.EqualValues(t, len(want), report.Differences())
			require.EqualValues(t, partitions*rows-eachPlanted, report.SourceRows)
			break
		}
		require.ErrorIs(t, err, errKilled)
		require.Less(t, runs, 200)
	}
	require.Greater(t, runs, 1)
	same(t, want, found(t, folder))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.ElementsMatch(t, []string{"differences.ndjson", "ranges.ndjson", "report.json", "job.json", "lock"}, names)

	t.Run("and is left as it is when it is complete", func(t *testing.T) {
		exec(t, ts.session, "TRUNCATE %s", ts.right)
		job, err := transfer.Diff(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right},
			folder, transfer.WithTimes())
		require.NoError(t, err)
		report, err := job.Run(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, len(want), report.Differences())
	})
	t.Run("and refuses other options", func(t *testing.T) {
		job, err := transfer.Diff(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right}, folder)
		require.NoError(t, err)
		_, err = job.Run(t.Context())
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	})
}

func TestTransferDiffAndRepairPlanWithoutDoingAnything(t *testing.T) {
	ts := makeTables(t)
	folder := filepath.Join(t.TempDir(), "diff")
	job, err := transfer.Diff(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right}, folder, transfer.LeaveOut("n"))
	require.NoError(t, err)
	plan, err := job.Plan(t.Context())
	require.NoError(t, err)
	require.Equal(t, "diff", plan.Verb)
	require.GreaterOrEqual(t, plan.Ranges, int64(64))
	require.Contains(t, plan.Differences, `column "n" is left out`)
	require.NoDirExists(t, folder)

	file := filepath.Join(t.TempDir(), "keys.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(`{"key":{"p":1,"q":"q","c":2}}`), 0o600))
	repair, err := transfer.Repair(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right}, file, folder)
	require.NoError(t, err)
	plan, err = repair.Plan(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, plan.Rows)
	require.Len(t, plan.Lossy, 1, "the list: %v", plan.Lossy)
	require.NoDirExists(t, folder)
}

func TestTransferDiffOfTablesThatDifferTooMuchEndsWithAnError(t *testing.T) {
	ts := makeTables(t)
	exec(t, ts.session, "TRUNCATE %s", ts.right)
	job, err := transfer.Diff(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right},
		filepath.Join(t.TempDir(), "diff"), transfer.MaxCandidates(50))
	require.NoError(t, err)
	_, err = job.Run(t.Context())
	require.ErrorIs(t, err, transfer.ErrTooDifferent)
}
