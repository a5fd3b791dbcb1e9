//go:build unix

package nodes_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const copiedRows = 10_000

type row struct {
	P int64  `cql:"p"`
	C int32  `cql:"c"`
	V string `cql:"v"`
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// table is a table of three replicas with the rows that are copied, so many in a partition.
func table(t *testing.T, partition int) (session *gocql.Session, keyspace string) {
	t.Helper()
	patient, keyspace := cassandra.Keyspace(t, cluster, cassandra.Replicas(3), cassandra.Configure(func(c *gocql.ClusterConfig) {
		c.Consistency, c.Logger = gocql.Quorum, silent{}
	}))
	for _, name := range []string{"original", "target"} {
		require.NoError(t, patient.Query("CREATE TABLE "+name+" (p bigint, c int, v text, PRIMARY KEY (p, c))").Exec())
	}
	for from := 0; from < copiedRows; from += 50 {
		b := patient.NewBatch(gocql.UnloggedBatch)
		for i := from; i < from+50; i++ {
			p, c := i/partition, i%partition
			b.Query("INSERT INTO original (p, c, v) VALUES (?, ?, ?)", int64(p), c, fmt.Sprint("row ", p, c))
		}
		require.Eventually(t, func() bool { return patient.ExecuteBatch(b) == nil }, 5*time.Minute, 100*time.Millisecond)
	}
	return cassandra.Connect(t, func() *gocql.ClusterConfig { // one that notices a node that does not answer
		c := cluster.Config()
		c.Keyspace, c.Consistency, c.Timeout, c.Logger = keyspace, gocql.Quorum, 3*time.Second, silent{}
		require.NoError(t, rxcql.Configure(c, ""))
		return c
	}), keyspace
}

// contents reads a table with the driver alone, when it can be read again.
func contents(t *testing.T, session *gocql.Session, table string) map[row]bool {
	t.Helper()
	var all map[row]bool
	require.Eventually(t, func() bool {
		all = map[row]bool{}
		iter := session.Query("SELECT p, c, v FROM " + table).Iter()
		for r := (row{}); iter.Scan(&r.P, &r.C, &r.V); {
			all[r] = true
		}
		return iter.Close() == nil
	}, 3*time.Minute, 500*time.Millisecond)
	return all
}

// copying is a job that copies a table.
type copying struct {
	session  *gocql.Session
	ks, file string
	rows     rxcql.Stream[row]
	opts     []sink.TableOption
	midway   func() // called in the middle, and when the first run has ended

	rep rxcql.Report // of the first run
	err error
}

func newCopying(t *testing.T, partition int, midway func(), opts ...sink.TableOption) *copying {
	t.Helper()
	c := &copying{file: filepath.Join(t.TempDir(), "copy.checkpoint"), opts: opts, midway: sync.OnceFunc(midway)}
	c.session, c.ks = table(t, partition)
	n := 0
	c.rows = operators.Tap(source.Table[row](c.session, c.ks+".original", source.PageRows(100)), func(row) error {
		if n++; n == copiedRows/4 {
			c.midway()
		}
		if n%10 == 0 {
			time.Sleep(5 * time.Millisecond) // 5 s in all
		}
		return nil
	})
	return c
}

func (c *copying) run() (rxcql.Report, error) {
	return rxcql.Run(context.Background(), c.rows, sink.Table[row](c.session, c.ks+".target", c.opts...),
		rxcql.WithCheckpoint(checkpoint.File(c.file), "copy"), rxcql.WithRetry(10*time.Minute, 0))
}

// copyDuring copies two tables, one by partition and one by replica set, has something happen in
// the middle of both, and looks at what the copies claim.
func copyDuring(t *testing.T, happen func() error) {
	var midway, work sync.WaitGroup
	midway.Add(2)
	inMiddle := func() { // of both, which wait for each other
		midway.Done()
		midway.Wait()
	}
	copies := map[string]*copying{
		"by partition":   newCopying(t, 50, inMiddle),
		"by replica set": newCopying(t, 1, inMiddle, sink.BatchByReplicaSet(0, 0)),
	}
	for _, c := range copies {
		work.Go(func() {
			defer c.midway()
			c.rep, c.err = c.run()
		})
	}
	midway.Wait()
	happened := happen()
	work.Wait()
	require.NoError(t, happened)
	for name, c := range copies {
		t.Run(name, c.look)
	}
}

// look looks at what the first run claims, and goes on if it has failed.
func (c *copying) look(t *testing.T) {
	rep, err := c.rep, c.err
	t.Logf("%d rows in %.1f s, %d requests repeated, complete: %v, error: %v", rep.Written, rep.Duration.Seconds(), rep.Retried, rep.Complete, err)
	got := contents(t, c.session, "target")
	if err != nil {
		require.Regexp(t, `range |page |rows of one (partition|replica set)`, err.Error(), "it says where")
		require.False(t, rep.Complete)
		require.LessOrEqual(t, rep.Written, int64(len(got)), "it claims rows that are not there")
		rep, err = c.run()
		require.NoError(t, err)
		t.Logf("then %d rows after %d in %.1f s, %d requests repeated", rep.ReadRows, rep.ResumedRows, rep.Duration.Seconds(), rep.Retried)
		got = contents(t, c.session, "target")
	}
	require.True(t, rep.Complete)
	want := contents(t, c.session, "original")
	require.Len(t, want, copiedRows)
	require.Len(t, got, copiedRows)
	for r := range want {
		require.True(t, got[r])
	}
}

func TestNodesOneKilledAndStartedAgain(t *testing.T) {
	copyDuring(t, func() error {
		node := cluster.Nodes()[1]
		if err := node.Kill(); err != nil {
			return err
		}
		time.Sleep(2 * time.Second)
		return node.Restart(context.Background())
	})
}

func TestNodesOneThatDoesNotAnswerForAWhile(t *testing.T) {
	copyDuring(t, func() error {
		node := cluster.Nodes()[2]
		if err := node.Pause(); err != nil {
			return err
		}
		time.Sleep(5 * time.Second)
		return node.Resume()
	})
}

func TestNodesAllDownForTenSeconds(t *testing.T) {
	copyDuring(t, func() error {
		for _, node := range cluster.Nodes() {
			if err := node.Kill(); err != nil {
				return err
			}
		}
		time.Sleep(10 * time.Second)
		for _, node := range cluster.Nodes() {
			if err := node.Restart(context.Background()); err != nil {
				return err
			}
		}
		return nil
	})
}
