//go:build unix

package nodes_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// traced notes the ids of traces: that of a prepare, then that of the write.
type traced struct {
	mu  sync.Mutex
	ids [][]byte
}

func (t *traced) Trace(id []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = append(t.ids, id)
}

// writtenBy are the nodes that a traced write went to, when all of them have told.
func writtenBy(t *testing.T, session *gocql.Session, id []byte, replicas int) string {
	t.Helper()
	nodes := map[string]bool{}
	require.Eventually(t, func() bool {
		iter := session.Query("SELECT activity, source FROM system_traces.events WHERE session_id = ?", id).Consistency(gocql.One).Iter()
		for activity, source := "", ""; iter.Scan(&activity, &source); {
			if activity == "Adding to t memtable" {
				nodes[source] = true
			}
		}
		return iter.Close() == nil && len(nodes) == replicas
	}, 2*time.Minute, 100*time.Millisecond)
	return fmt.Sprint(nodes) // maps are printed in order
}

func TestNodesRowsOfOneReplicaSetLiveOnTheSameNodes(t *testing.T) {
	for _, replication := range []string{
		"{'class': 'SimpleStrategy', 'replication_factor': 1}", "{'class': 'SimpleStrategy', 'replication_factor': 2}",
		"{'class': 'NetworkTopologyStrategy', 'replication_factor': 2}", "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}",
	} {
		t.Run(replication, func(t *testing.T) {
			t.Parallel()
			session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(func(c *gocql.ClusterConfig) { c.Logger = silent{} }))
			require.NoError(t, session.Query("ALTER KEYSPACE "+ks+" WITH replication = "+replication).Exec())
			require.NoError(t, session.AwaitSchemaAgreement(t.Context()))
			require.NoError(t, session.Query("CREATE TABLE t (a text, b bigint, PRIMARY KEY ((a, b)))").Exec())
			wrapped, err := driver.Wrap(session)
			require.NoError(t, err)
			nodes, err := wrapped.Nodes(t.Context())
			require.NoError(t, err)
			require.Len(t, nodes, 3)
			options, err := schema.Replication(t.Context(), wrapped, ks)
			require.NoError(t, err)
			sets := ring.NewSets(nodes, options)
			replicas := int(replication[len(replication)-2] - '0')
			require.Equal(t, map[int]int{1: 3, 2: 3, 3: 1}[replicas], sets.Len())

			var tracers [30]traced
			var tokens [len(tracers)]int64
			for i := range tracers {
				tracer := &tracers[i]
				require.NoError(t, session.Query("INSERT INTO t (a, b) VALUES (?, ?)", "key", int64(i)).Consistency(gocql.All).Trace(tracer).Exec())
				require.NoError(t, session.Query("SELECT token(a, b) FROM t WHERE a = ? AND b = ?", "key", int64(i)).Scan(&tokens[i]))
			}
			of, set := map[int]string{}, map[string]int{}
			for i := range tracers { // nodes take their time to tell: all of them at once
				ids := tracers[i].ids
				where := writtenBy(t, session, ids[len(ids)-1], replicas)
				number := sets.Of(tokens[i])
				if known, found := of[number]; found {
					require.Equal(t, known, where)
				}
				if known, found := set[where]; found {
					require.Equal(t, known, number)
				}
				of[number], set[where] = where, number
			}
		})
	}
}

// scattered are rows of partitions of their own.
func scattered(n int64) rxcql.Stream[row] {
	return source.Seq(func(yield func(row, error) bool) {
		for p := int64(0); p < n && yield(row{P: p, V: fmt.Sprintf("reading %07d of the day", p)}, nil); p++ {
		}
	})
}

// load writes scattered rows into a new table.
func load(t testing.TB, n int64, opts ...sink.TableOption) {
	t.Helper()
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Replicas(3), cassandra.Configure(func(c *gocql.ClusterConfig) {
		c.Consistency, c.Logger = gocql.Quorum, silent{}
		require.NoError(t, rxcql.Configure(c, ""))
	}))
	require.NoError(t, session.Query("CREATE TABLE loaded (p bigint, c int, v text, PRIMARY KEY (p, c))").Exec())
	p, err := rxcql.New(scattered(n), sink.Table[row](session, ks+".loaded", opts...))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, n, rep.Written)
}

// warnings are what the nodes have logged of the sizes of batches.
func warnings(t *testing.T) (sizes, partitions int) {
	t.Helper()
	for _, node := range cluster.Nodes() {
		log, err := os.ReadFile(node.LogFile())
		require.NoError(t, err)
		sizes += strings.Count(string(log), "exceeding specified threshold")
		partitions += strings.Count(string(log), "Unlogged batch covering")
	}
	return sizes, partitions
}

func TestNodesDoNotWarnOfBatchesByReplicaSetUnlessMoreIsAskedFor(t *testing.T) {
	sizes, partitions := warnings(t)
	load(t, 5000, sink.BatchByReplicaSet(0, 0))
	after, covering := warnings(t)
	require.Equal(t, sizes, after)
	require.Equal(t, partitions, covering)

	load(t, 5000, sink.BatchByReplicaSet(100, 48<<10))
	require.Eventually(t, func() bool {
		after, covering = warnings(t)
		return after > sizes && covering > partitions
	}, 2*time.Minute, 100*time.Millisecond)
}
