package faults_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// written reads values and write times with the driver alone.
func written(t *testing.T, direct *gocql.Session, table string) map[[2]int]string {
	t.Helper()
	all := map[[2]int]string{}
	iter := direct.Query("SELECT p, c, v, WRITETIME(v) FROM " + table).Iter()
	var o original
	var at int64
	for iter.Scan(&o.P, &o.C, &o.V, &at) {
		all[[2]int{o.P, o.C}] = fmt.Sprint(o.V, " at ", at)
	}
	require.NoError(t, iter.Close())
	return all
}

func TestTransferCopyDiffAndRepairThroughFaultsEndEqual(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	for _, percent := range []int{1, 5, 10, 20} {
		t.Run(fmt.Sprint(percent, " %"), func(t *testing.T) {
			t.Parallel()
			c := newChance(uint64(percent - 1))
			require.Equal(t, percent, c.percent)
			session := through(t, stand(t, ks, c.decide), impatient)
			from := transfer.Table{Session: session, Name: fmt.Sprintf("%s.src_%d", ks, percent)}
			to := transfer.Table{Session: session, Name: fmt.Sprintf("%s.dst_%d", ks, percent)}
			all := originals(t, direct, from.Name)
			exec(t, direct, "CREATE TABLE "+to.Name+" (p int, c int, v text, PRIMARY KEY (p, c))")
			patience := transfer.WithRun(rxcql.WithRetry(10*time.Minute, 0))

			job, err := transfer.Copy(from, to, transfer.WithTimes(), transfer.WithSplits(16), patience)
			require.NoError(t, err)
			copied, err := job.Run(t.Context())
			require.NoError(t, err)
			require.True(t, copied.Complete)
			require.EqualValues(t, len(all), copied.Written)
			require.Equal(t, written(t, direct, from.Name), written(t, direct, to.Name))
			folder := t.TempDir()
			diff := func(name string) transfer.DiffReport {
				job, err := transfer.Diff(from, to, filepath.Join(folder, name), transfer.WithTimes(), transfer.Pause(0), transfer.WithSplits(16), patience)
				require.NoError(t, err)
				found, err := job.Run(t.Context())
				require.NoError(t, err)
				require.True(t, found.Complete)
				return found
			}
			found := diff("first")
			require.True(t, found.Equal(), found.String())

			for p := range 40 {
				exec(t, direct, "UPDATE "+from.Name+" SET v = 'changed' WHERE p = ? AND c = 5", p)
				exec(t, direct, "INSERT INTO "+from.Name+" (p, c, v) VALUES (?, 100, 'new')", p)
			}
			found = diff("second")
			require.Equal(t, []int64{40, 40, 80}, []int64{found.Differing, found.Missing, found.Differences()}, found.String())
			repair, err := transfer.Repair(from, to, filepath.Join(folder, "second", "differences.ndjson"), filepath.Join(folder, "repair"), transfer.WithTimes(), patience)
			require.NoError(t, err)
			repaired, err := repair.Run(t.Context())
			require.NoError(t, err)
			require.True(t, repaired.Repaired(), repaired.String())
			require.Equal(t, written(t, direct, from.Name), written(t, direct, to.Name))
			found = diff("third")
			require.True(t, found.Equal(), found.String())
			if percent >= 5 {
				require.Positive(t, c.fails())
			}
			t.Logf("%d %%: %v, %v", percent, c.failed, c.other)
		})
	}
}
