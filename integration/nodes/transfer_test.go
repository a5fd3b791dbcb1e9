//go:build unix

package nodes_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// movedRows is how many rows are moved to one node, fifty in a partition.
const movedRows = 3000

// sentAgain is for how long a batch that fails is sent again.
const sentAgain = 5 * time.Minute

// accidents happen to the source on the way: a node is lost, and then, so that no quorum is left,
// another one does not answer until requests have failed.
type accidents struct {
	t              *testing.T
	lost, frozen   *cassandra.Node
	pages, failed  atomic.Int64
	loses, freezes int64 // at which page
	stands, goes   atomic.Bool
}

func (a *accidents) hooks() rxcql.Hooks {
	return rxcql.Hooks{
		PageRead: func(context.Context, rxcql.PageEvent) {
			switch a.pages.Add(1) {
			case a.loses:
				a.happens(a.lost.Kill())
			case a.freezes:
				a.happens(a.frozen.Pause())
				a.stands.Store(true)
			}
		},
		Retry: func(context.Context, rxcql.RetryEvent) {
			if a.stands.Load() && a.failed.Add(1) == 3 {
				a.happens(a.frozen.Resume())
				a.goes.Store(true)
			}
		},
	}
}

func (a *accidents) happens(err error) {
	if err != nil {
		a.t.Errorf("an accident that was to happen: %v", err)
	}
}

// kept reads values and write times with the driver alone.
func kept(t *testing.T, session *gocql.Session, table string) (all []string) {
	t.Helper()
	require.Eventually(t, func() bool {
		all = nil
		iter := session.Query("SELECT p, c, s, v, m, WRITETIME(s), WRITETIME(v), WRITETIME(m), TTL(v) FROM " + table).Iter()
		for {
			var p, c, at, atStatic int64
			var s, v string
			var m map[string]int
			var atElements []int64
			var ttl *int
			if !iter.Scan(&p, &c, &s, &v, &m, &atStatic, &at, &atElements, &ttl) {
				break
			}
			all = append(all, fmt.Sprint(p, c, s, v, m, atStatic, at, atElements, ttl != nil))
		}
		return iter.Close() == nil
	}, 3*time.Minute, 500*time.Millisecond)
	return all
}

// differences is the start of what a diff has found, for a test that fails.
func differences(t *testing.T, folder string) string {
	t.Helper()
	all, err := os.ReadFile(filepath.Join(folder, "differences.ndjson"))
	require.NoError(t, err)
	return string(all[:min(len(all), 2000)])
}

func TestTransferThreeNodesToOneWithANodeLostAndANodeFrozenOnTheWay(t *testing.T) {
	one, err := cassandra.Start(t.Context(), cassandra.Heap(256))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, one.Stop()) })
	configure := cassandra.Configure(func(c *gocql.ClusterConfig) {
		require.NoError(t, rxcql.Configure(c, ""))
		c.Consistency, c.Timeout, c.Logger = gocql.Quorum, 3*time.Second, silent{}
	})
	origin, from := cassandra.Keyspace(t, cluster, cassandra.Replicas(3), configure)
	target, to := cassandra.Keyspace(t, one, cassandra.Configure(func(c *gocql.ClusterConfig) { require.NoError(t, rxcql.Configure(c, "")) }))
	nodes := cluster.Nodes()
	t.Cleanup(func() { // the other tests need all of them
		_ = nodes[2].Resume() // it goes on, unless the test has failed
		require.NoError(t, nodes[1].Restart(context.Background()))
	})

	require.NoError(t, origin.Query("CREATE TABLE t (p bigint, c bigint, s text STATIC, v text, m map<text, int>, PRIMARY KEY (p, c))").Exec())
	const at = 1_700_000_000_000_000
	for first := 0; first < movedRows; first += 50 {
		b := origin.NewBatch(gocql.UnloggedBatch)
		b.Query("UPDATE t USING TIMESTAMP ? SET s = ? WHERE p = ?", at+int64(first), fmt.Sprint("static ", first), int64(first))
		for i := first; i < first+50; i++ {
			b.Query("INSERT INTO t (p, c, v) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?", int64(first), int64(i), fmt.Sprint("row ", i), at+int64(i), i%2*500_000)
			b.Query("UPDATE t USING TIMESTAMP ? SET m = m + ? WHERE p = ? AND c = ?", at+int64(2*i), map[string]int{"n": i}, int64(first), int64(i))
		}
		require.Eventually(t, func() bool { return origin.ExecuteBatch(b) == nil }, sentAgain, 100*time.Millisecond)
	}

	source, destination := transfer.Table{Session: origin, Name: from + ".t"}, transfer.Table{Session: target, Name: to + ".t"}
	a := &accidents{t: t, lost: nodes[1], frozen: nodes[2], loses: 10, freezes: 20}
	patient := rxcql.WithRetry(10*time.Minute, 0)
	job, err := transfer.Copy(source, destination, transfer.Create(), transfer.WithTimes(), transfer.WithSplits(40), transfer.WithWorkers(4),
		transfer.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "copy")), "copy"), transfer.WithRun(patient, rxcql.WithHooks(a.hooks())))
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.True(t, a.goes.Load(), "the node was frozen until requests had failed")
	require.Zero(t, a.lost.Pid())
	require.EqualValues(t, movedRows, report.Written)
	t.Logf("%d rows in %.1f s, %d requests repeated", report.Written, report.Duration.Seconds(), report.Retried)

	// A batch that was sent again may expire later at one replica than at another: they write it at
	// the same time, so no read puts that right, and each says what the replica that it asked has.
	folder := filepath.Join(t.TempDir(), "diff")
	diff, err := transfer.Diff(source, destination, folder, transfer.WithTimes(), transfer.Pause(0), transfer.WithRun(patient),
		transfer.Tolerance(transfer.DefaultWriteTolerance, 2*sentAgain))
	require.NoError(t, err)
	found, err := diff.Run(t.Context())
	require.NoError(t, err)
	require.True(t, found.Complete)
	require.True(t, found.Equal(), "%s\n%s", found, differences(t, folder))
	require.EqualValues(t, movedRows, found.TargetRows)
	want := kept(t, origin, "t")
	require.Len(t, want, movedRows)
	require.ElementsMatch(t, want, kept(t, target, "t"))
}
