package faults_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// durable starts a server of its own that has written what it acknowledges to
// its log: with the log's usual setting a kill costs up to 100 ms of that.
func durable(t *testing.T) *cassandra.Cluster {
	t.Helper()
	c, err := cassandra.Start(t.Context(), cassandra.Restarts(),
		cassandra.Setting("commitlog_sync", "batch"), cassandra.Setting("commitlog_sync_period", "0ms"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop()) })
	require.NotEmpty(t, c.Nodes(), "this test restarts the server: it needs a local process, see integration/cassandra")
	return c
}

// quiet: the driver logs every attempt to connect.
var quiet = cassandra.Configure(func(c *gocql.ClusterConfig) { c.Logger = silent{} })

func filled(t *testing.T, session *gocql.Session, table string, rows int) {
	exec(t, session, "CREATE TABLE "+table+" (p int, c int, v text, PRIMARY KEY (p, c))")
	for first := 0; first < rows; first += 100 {
		b := session.NewBatch(gocql.UnloggedBatch)
		for i := first; i < first+100; i++ {
			b.Query("INSERT INTO "+table+" (p, c, v) VALUES (?, ?, ?)", i/100, i%100, fmt.Sprint("text ", i))
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
}

// restarted gives a server all the time that it may need to start on a busy machine.
var restarted = rxcql.WithRetry(10*time.Minute, 0)

// restarting restarts the node once, during the run, when called for the nth time.
func restarting(t *testing.T, c *cassandra.Cluster, nth int) (call func(), wait func()) {
	var work sync.WaitGroup
	var failed error
	calls := 0
	return func() {
			if calls++; calls == nth {
				failed = c.Nodes()[0].Kill() // so that the run is not over before
				work.Go(func() { failed = errors.Join(failed, c.Nodes()[0].Restart(context.Background())) })
			}
		}, func() {
			work.Wait()
			require.NoError(t, failed)
			require.GreaterOrEqual(t, calls, nth)
		}
}

func TestFaultsACassandraRestartedInMidScanCostsNoRow(t *testing.T) {
	c := durable(t)
	session, ks := cassandra.Keyspace(t, c, quiet)
	const rows = 40_000
	filled(t, session, ks+".t", rows)
	call, wait := restarting(t, c, rows/4)
	seen := map[original]int{}
	rep, err := source.Table[original](session, ks+".t", source.PageRows(200)).ForEach(t.Context(), func(o original) error {
		seen[o]++
		call()
		return nil
	}, restarted)
	wait()
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Positive(t, rep.Retried)
	require.Equal(t, rows, len(seen))
	for row, times := range seen {
		require.Equal(t, 1, times, "%v", row)
	}
	t.Logf("%d retried in %v", rep.Retried, rep.Duration)
}

func TestFaultsACassandraRestartedInMidCopyLosesNothing(t *testing.T) {
	c := durable(t)
	session, ks := cassandra.Keyspace(t, c, quiet)
	const rows = 40_000
	filled(t, session, ks+".src", rows)
	exec(t, session, "CREATE TABLE "+ks+".dst (p int, c int, v text, PRIMARY KEY (p, c))")
	call, wait := restarting(t, c, rows/4)
	in := operators.Tap(source.Table[original](session, ks+".src", source.PageRows(200)), func(original) error {
		call()
		return nil
	})
	rep := copied(t, in, sink.Table[original](session, ks+".dst", sink.BatchRows(10)), restarted)
	wait()
	require.EqualValues(t, rows, rep.Written)
	require.Positive(t, rep.Retried)
	found := map[original]bool{}
	_, err := source.Table[original](session, ks+".dst").ForEach(t.Context(), func(o original) error {
		found[o] = true
		return nil
	}, rxcql.WithRetry(0, 0))
	require.NoError(t, err)
	require.Equal(t, rows, len(found))
	for row := range found {
		require.Equal(t, fmt.Sprint("text ", row.P*100+row.C), row.V)
	}
	t.Logf("%d retried in %v", rep.Retried, rep.Duration)
}
