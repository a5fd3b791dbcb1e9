package source_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
)

// scans sees the reads of one table by token ranges from both ends: by the
// driver's observer, those that failed or were given up included, and by what
// the server counts.
type scans struct {
	session         *gocql.Session
	keyspace, table string

	mu       sync.Mutex
	requests []gocql.ObservedQuery
}

// seen is what was asked for in a stretch of time.
type seen struct {
	requests []gocql.ObservedQuery
	byServer int64
}

// option makes a session that is watched. It talks to one node only: every node
// counts by itself.
func (s *scans) option(t *testing.T) cassandra.KeyspaceOption {
	host, _, err := net.SplitHostPort(cluster.Hosts()[0])
	require.NoError(t, err)
	return cassandra.Configure(func(c *gocql.ClusterConfig) {
		c.QueryObserver = s
		c.HostFilter = gocql.WhiteListHostFilter(host)
	})
}

// ObserveQuery keeps the reads of the table's rows.
func (s *scans) ObserveQuery(_ context.Context, q gocql.ObservedQuery) {
	if !strings.HasPrefix(q.Statement, `SELECT "pk"`) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, q)
}

// start forgets the requests so far and gives the server's count.
func (s *scans) start(t *testing.T) int64 {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
	return s.served(t)
}

// answered is how many of the requests were answered.
func (s *scans) answered() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.requests {
		if q.Err == nil {
			n++
		}
	}
	return n
}

// since gives what was asked for after start, which gave before. A request that
// was given up may reach the server's count a moment later.
func (s *scans) since(t *testing.T, before int64) seen {
	t.Helper()
	last := int64(-1)
	require.Eventually(t, func() bool { // until the server has counted all, and counts no more
		now := s.served(t) - before
		still := now == last && now >= s.answered() // one that was given up may never have been sent
		last = now
		return still
	}, 3*time.Minute, 100*time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	return seen{s.requests, s.served(t) - before}
}

// served is how often the server has read a range of the table for a client.
func (s *scans) served(t *testing.T) (n int64) {
	t.Helper()
	require.NoError(t, s.session.Query("SELECT count FROM system_views.coordinator_scan_latency WHERE keyspace_name = ? AND table_name = ?",
		s.keyspace, s.table).Scan(&n))
	return n
}

// overlaps counts the pairs of requests that were on their way together.
func (s seen) overlaps() (n int) {
	for i, a := range s.requests {
		for _, b := range s.requests[:i] {
			if a.Start.Before(b.End) && b.Start.Before(a.End) {
				n++
			}
		}
	}
	return n
}

// tiles are the ranges that a source reads a share of a table in.
func tiles(t *testing.T, session *gocql.Session, splits, share, of int) []ring.Range {
	t.Helper()
	wrapped, err := driver.Wrap(session)
	require.NoError(t, err)
	now, err := wrapped.Ring(t.Context())
	require.NoError(t, err)
	return ring.Shard(ring.Tile(now.Tokens, splits), share, of)
}
