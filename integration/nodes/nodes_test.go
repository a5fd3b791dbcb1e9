//go:build unix

package nodes_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const copiedRows = 8000

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

// copyDuring copies two tables in two ways at once, has something happen in the middle of that, and
// looks at what the copies claim.
func copyDuring(t *testing.T, happen func() error) {
	m := &meeting{happen: happen, met: make(chan struct{}), over: make(chan struct{})}
	ways := map[string]func(t *testing.T, arrive func()){
		"by partition":   func(t *testing.T, arrive func()) { m.copy(t, 50, arrive) },
		"by replica set": func(t *testing.T, arrive func()) { m.copy(t, 1, arrive, sink.BatchByReplicaSet(0, 0)) },
	}
	m.left.Store(int32(len(ways)))
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrive := sync.OnceFunc(m.arrive)
			defer arrive() // if it fails before: the other one must not wait for ever
			way(t, arrive)
		})
	}
}

// meeting has something happen when all copies are in the middle of their work.
type meeting struct {
	happen func() error
	left   atomic.Int32  // copies that have not arrived
	met    chan struct{} // closed when all have
	over   chan struct{} // closed when it has happened
	err    error         // of happen; read it when over is closed
}

// arrive waits for the others, and goes on while it happens.
func (m *meeting) arrive() {
	if m.left.Add(-1) == 0 {
		close(m.met)
		go func() {
			defer close(m.over)
			m.err = m.happen()
		}()
	}
	<-m.met
}

func (m *meeting) copy(t *testing.T, partition int, arrive func(), opts ...sink.TableOption) {
	session, ks := table(t, partition)
	n := 0
	rows := operators.Tap(source.Table[row](session, ks+".original", source.PageRows(100)), func(row) error {
		if n++; n == copiedRows/4 {
			arrive()
		}
		if n%8 == 0 {
			time.Sleep(5 * time.Millisecond) // 5 s in all
		}
		return nil
	})
	file := filepath.Join(t.TempDir(), "copy.checkpoint")
	run := func() (rxcql.Report, error) {
		p, err := rxcql.New(rows, sink.Table[row](session, ks+".target", opts...),
			rxcql.WithCheckpoint(checkpoint.File(file), "copy"), rxcql.WithRetry(10*time.Minute, 0))
		require.NoError(t, err)
		return p.Run(context.Background())
	}
	rep, err := run()
	arrive()
	<-m.over
	require.NoError(t, m.err)
	t.Logf("%d rows in %.1f s, %d requests repeated, complete: %v, error: %v", rep.Written, rep.Duration.Seconds(), rep.Retried, rep.Complete, err)
	got := contents(t, session, "target")
	if err != nil {
		require.Regexp(t, `range |page |rows of one (partition|replica set)`, err.Error(), "it says where")
		require.False(t, rep.Complete)
		require.LessOrEqual(t, rep.Written, int64(len(got)), "it claims rows that are not there")
		rep, err = run()
		require.NoError(t, err)
		t.Logf("then %d rows after %d in %.1f s, %d requests repeated", rep.ReadRows, rep.ResumedRows, rep.Duration.Seconds(), rep.Retried)
		got = contents(t, session, "target")
	}
	require.True(t, rep.Complete)
	want := contents(t, session, "original")
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
		var starts errgroup.Group
		for _, node := range cluster.Nodes() {
			starts.Go(func() error { return node.Restart(context.Background()) })
		}
		return starts.Wait()
	})
}
