package sink_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/gocql/gocql"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
)

// keyed is a row whose key is too long for the server where it is bad.
type keyed struct {
	P int    `cql:"p"`
	V string `cql:"v"`
}

// link is a session that reaches the cluster through a proxy.
type link struct {
	mu      sync.Mutex
	proxy   *toxiproxy.Proxy
	session *gocql.Session
	muted   bool
}

func newLink(t testing.TB) *link {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &link{proxy: toxiproxy.NewProxy(server, "cassandra", "127.0.0.1:0", cluster.Hosts()[0])}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	l.connect(t)
	return l
}

func (l *link) connect(t testing.TB) {
	config := cluster.Config()
	config.Hosts = []string{l.proxy.Listen}
	config.DisableInitialHostLookup = true
	config.Events.DisableSchemaEvents = true // it does not hear of the tables of others
	config.NumConns = 1
	config.Timeout = 5 * time.Minute // what hangs is not given up by the driver
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	l.session = session
}

func (l *link) now() *gocql.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

// fail closes the session, and makes another one.
func (l *link) fail(t testing.TB) func(bool) {
	return func(fail bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case fail:
			l.session.Close()
		case l.session.Closed():
			l.connect(t)
		}
	}
}

// stall keeps answers back.
func (l *link) stall(t testing.TB) func(bool) {
	return func(stall bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if stall == l.muted {
			return
		}
		var err error
		if l.muted = stall; stall {
			_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(
				`{"name":"mute","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`))
		} else {
			err = l.proxy.Toxics.RemoveToxic(t.Context(), "mute")
			l.session.Close() // answers were lost
			l.connect(t)
		}
		assert.NoError(t, err)
	}
}

func TestTableAndExecKeepTheRules(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	var tables atomic.Int64
	for name, made := range map[string]func(session *gocql.Session, table string) rxcql.Sink[keyed]{
		"Table": func(s *gocql.Session, table string) rxcql.Sink[keyed] { return sink.Table[keyed](s, table) },
		"Table, batches by replica set": func(s *gocql.Session, table string) rxcql.Sink[keyed] {
			return sink.Table[keyed](s, table, sink.BatchByReplicaSet(10, 4<<10))
		},
		"Table, sorted": func(s *gocql.Session, table string) rxcql.Sink[keyed] {
			return sink.Table[keyed](s, table, sink.BatchByReplicaSet(10, 4<<10), sink.SortByToken())
		},
		"Exec": func(s *gocql.Session, table string) rxcql.Sink[keyed] {
			bind := func(k keyed) ([]any, error) { return []any{k.P, k.V}, nil }
			return sink.Exec(s, "INSERT INTO "+table+" (p, v) VALUES (?, ?)", bind, sink.Idempotent())
		},
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSink(t, func(t testing.TB) rxcqltest.SinkPlace[keyed] {
				table := fmt.Sprintf("%s.t%d", ks, tables.Add(1))
				require.NoError(t, direct.Query("CREATE TABLE "+table+" (p int, v text, PRIMARY KEY (p, v))").Exec())
				l := newLink(t)
				return rxcqltest.SinkPlace[keyed]{
					Sink:  func() rxcql.Sink[keyed] { return made(l.now(), table) },
					Row:   func(n int) keyed { return keyed{P: n, V: "v"} },
					Bad:   func(n int) keyed { return keyed{P: n, V: strings.Repeat("x", 70_000)} },
					Rows:  func() []int { return keysIn(t, direct, table) },
					Fail:  l.fail(t),
					Stall: l.stall(t),
				}
			})
		})
	}
}

// keysToDelete are in the table before a sink deletes them: at least as many as the suite looks at.
const keysToDelete = 200

func TestATableThatDeletesKeepsTheRules(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	var tables atomic.Int64
	rxcqltest.TestSink(t, func(t testing.TB) rxcqltest.SinkPlace[keyed] {
		table := fmt.Sprintf("%s.d%d", ks, tables.Add(1))
		require.NoError(t, direct.Query("CREATE TABLE "+table+" (p int, v text, PRIMARY KEY (p, v))").Exec())
		for p := range keysToDelete {
			require.NoError(t, direct.Query("INSERT INTO "+table+" (p, v) VALUES (?, 'v')", p).Exec())
		}
		l := newLink(t)
		return rxcqltest.SinkPlace[keyed]{
			Sink: func() rxcql.Sink[keyed] { return sink.Table[keyed](l.now(), table, sink.Delete()) },
			Row:  func(n int) keyed { return keyed{P: n, V: "v"} },
			Bad:  func(n int) keyed { return keyed{P: n, V: strings.Repeat("x", 70_000)} },
			Rows: func() (deleted []int) { // which are there no more
				there := keysIn(t, direct, table)
				for p := range keysToDelete {
					if !slices.Contains(there, p) {
						deleted = append(deleted, p)
					}
				}
				return deleted
			},
			Fail:  l.fail(t),
			Stall: l.stall(t),
		}
	})
}

func keysIn(t testing.TB, session *gocql.Session, table string) (keys []int) {
	iter := session.Query("SELECT p FROM " + table).Iter()
	for n := 0; iter.Scan(&n); {
		keys = append(keys, n)
	}
	assert.NoError(t, errors.Join(iter.Close()))
	return keys
}
