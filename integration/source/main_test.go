// Package source_test proves the sources against a real Cassandra, and where a
// real one cannot be made to misbehave, against a scripted server or through a
// proxy that breaks connections.
package source_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	// A toxiproxy link that was cut leaves its copying goroutines behind; they
	// are its own and hold nothing of ours.
	cassandra.Main(m, &cluster, cassandra.IgnoreLeaks(
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
	))
}

// exec runs statements of a test's set-up.
func exec(t *testing.T, session *gocql.Session, format string, args ...any) {
	t.Helper()
	require.NoError(t, session.Query(fmt.Sprintf(format, args...)).Exec())
}

// requests counts the pages that a session was asked for, whatever became of
// them, by watching it, and those that were asked for while another was on its way.
type requests struct {
	pages atomic.Int64
	rows  atomic.Int64
	match string

	mu       sync.Mutex
	answered time.Time // when the latest answer had come
	overlaps int       // requests that were sent before that
}

func (r *requests) ObserveQuery(_ context.Context, q gocql.ObservedQuery) {
	if q.Err == gocql.ErrNotFound { // internal/driver asks so what a statement's columns are, which runs nothing
		return
	}
	if strings.Contains(q.Statement, "schema_version FROM system.") { // and so which schema that is of
		return
	}
	if strings.HasPrefix(q.Statement, r.match) {
		r.pages.Add(1)
		r.rows.Add(int64(q.Rows))
		r.mu.Lock()
		defer r.mu.Unlock()
		if q.Start.Before(r.answered) {
			r.overlaps++
		}
		r.answered = q.End
	}
}

func observed(r *requests) cassandra.KeyspaceOption {
	return cassandra.Configure(func(c *gocql.ClusterConfig) { c.QueryObserver = r })
}

// fill writes n rows (pk int, ck int, v bigint = pk * 1000 + ck) into a new
// table, 1000 rows a partition.
func fill(t *testing.T, session *gocql.Session, table string, n int) {
	t.Helper()
	fillPartitions(t, session, table, n, 1000)
}

// fillPartitions is fill with so many rows a partition, a multiple of 200: v is pk * partition +
// ck.
func fillPartitions(t *testing.T, session *gocql.Session, table string, n, partition int) {
	t.Helper()
	exec(t, session, "CREATE TABLE %s (pk int, ck int, v bigint, PRIMARY KEY (pk, ck))", table)
	insert := fmt.Sprintf("INSERT INTO %s (pk, ck, v) VALUES (?, ?, ?)", table)
	work := make(chan int)
	failed := make(chan error, 32)
	for range cap(failed) {
		go func() {
			var err error
			for first := range work {
				if err != nil {
					continue
				}
				b := session.NewBatch(gocql.UnloggedBatch)
				for i := first; i < min(first+200, n); i++ {
					b.Query(insert, i/partition, i%partition, int64(i))
				}
				err = session.ExecuteBatch(b)
			}
			failed <- err
		}()
	}
	for i := 0; i < n; i += 200 {
		work <- i
	}
	close(work)
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
}
