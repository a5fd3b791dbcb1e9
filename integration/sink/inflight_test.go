package sink_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// traffic watches a session: the requests for which no answer has come yet, the
// most there were, and the connections made. It can keep answers back until there
// are many requests.
type traffic struct {
	now, most, connections atomic.Int64

	mu   sync.Mutex
	open chan struct{} // closed while answers come
}

// many is how many requests are in flight at once, of the 4096 that may be.
const many = 3000

func (w *traffic) watch(c *gocql.ClusterConfig) {
	w.open = make(chan struct{})
	close(w.open)
	c.NumConns = 2
	c.StreamObserver, c.ConnectObserver, c.Dialer = w, w, w
}

// keepBack keeps answers back until many requests are in flight. How fast the server and this
// machine are does not decide then how many there are.
func (w *traffic) keepBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now.Load() < many {
		w.open = make(chan struct{})
	}
}

func (w *traffic) gate() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

func (w *traffic) letThrough() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.open:
	default:
		close(w.open)
	}
}

// DialContext makes a connection on which answers can be kept back.
func (w *traffic) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return gated{conn, w}, nil
}

type gated struct {
	net.Conn
	of *traffic
}

func (g gated) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	<-g.of.gate()
	return n, err
}

func (w *traffic) StreamContext(context.Context) gocql.StreamObserverContext { return w }

func (w *traffic) StreamStarted(gocql.ObservedStream) {
	now := w.now.Add(1)
	for most := w.most.Load(); now > most && !w.most.CompareAndSwap(most, now); most = w.most.Load() {
	}
	if now >= many {
		w.letThrough()
	}
}

func (w *traffic) StreamAbandoned(gocql.ObservedStream) { w.now.Add(-1) }
func (w *traffic) StreamFinished(gocql.ObservedStream)  { w.now.Add(-1) }
func (w *traffic) ObserveConnect(made gocql.ObservedConnect) {
	if made.Err == nil {
		w.connections.Add(1)
	}
}

func TestThousandsOfRequestsAreInFlightOnTwoConnections(t *testing.T) {
	const (
		n     = 20_000
		begun = 5000 // rows of which some have been answered: the statement is prepared
	)
	var w traffic
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(w.watch))
	create(t, session, "CREATE TABLE t "+eventColumns)
	events := source.Seq(func(yield func(event, error) bool) {
		for i := int64(0); i < n && yield(event{i, 1, text("v")}, nil); i++ {
		}
	})

	rep := run(t, events, sink.Exec(session, "INSERT INTO "+ks+".t (p, c, v) VALUES (?, ?, ?)",
		func(e event) ([]any, error) {
			if e.P == begun {
				w.keepBack()
			}
			return []any{e.P, e.C, e.V}, nil
		}, sink.Idempotent(), sink.InFlight(4096)))
	require.EqualValues(t, n, rep.Written)
	t.Logf("writes: at most %d requests in flight, %d connections, one of them for control", w.most.Load(), w.connections.Load())
	require.GreaterOrEqual(t, w.most.Swap(0), int64(many))

	found := operators.MapConcurrent(events, 4096, func(ctx context.Context, e event) (string, error) {
		if e.P == begun {
			w.keepBack()
		}
		var v string
		err := session.Query("SELECT v FROM t WHERE p = ? AND c = ?", e.P, e.C).WithContext(ctx).Scan(&v)
		return v, err
	})
	var right int
	rep, err := found.ForEach(t.Context(), func(v string) error {
		if v == "v" {
			right++
		}
		return nil
	})
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, n, right)
	t.Logf("queries: at most %d requests in flight", w.most.Load())
	require.GreaterOrEqual(t, w.most.Load(), int64(many))
	require.LessOrEqual(t, w.connections.Load(), int64(3))
	require.Eventually(t, func() bool { return w.now.Load() == 0 }, 2*time.Minute, time.Millisecond) // except a heartbeat
}
