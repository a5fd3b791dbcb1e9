package docs_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// readings answers GET /readings?sensor=roof with one JSON object a line.
func readings(session *gocql.Session) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		rows := source.Query[Reading](session,
			"SELECT sensor, at, celsius FROM "+weather+".readings WHERE sensor = ?",
			source.Bind(req.FormValue("sensor")))
		if err := rows.Check(req.Context()); err != nil { // no row is read yet
			http.Error(w, "the readings cannot be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := json.NewEncoder(w)
		var failed error
		for row, err := range rows.All(req.Context(), rxcql.WithBudget(1<<20), rxcql.WithRetry(5*time.Second, 0)) {
			if failed = err; failed == nil {
				failed = out.Encode(row) // waits while the client does not read
			}
			if failed != nil {
				break
			}
		}
		if failed != nil {
			panic(http.ErrAbortHandler) // cuts the connection: half an answer must not look whole
		}
	}
}

func TestAQueryIsStreamedOverHTTP(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	fill(t, session, 3000, "roof", "cellar")
	server := httptest.NewServer(readings(session))
	defer server.Close()

	answer, err := http.Get(server.URL + "/readings?sensor=roof")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var celsius []float64
	for lines := json.NewDecoder(answer.Body); ; {
		var r Reading
		err := lines.Decode(&r)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		require.Equal(t, "roof", r.Sensor)
		celsius = append(celsius, r.Celsius)
	}
	require.Len(t, celsius, 3000)

	cql(t, session, "DROP TABLE readings")
	answer, err = http.Get(server.URL + "/readings?sensor=roof")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	http.DefaultClient.CloseIdleConnections()
}

// fetched counts the pages that a session has been asked for.
type fetched struct{ of atomic.Int64 }

func (f *fetched) ObserveQuery(_ context.Context, q gocql.ObservedQuery) {
	if strings.Contains(q.Statement, weather+".readings WHERE") {
		f.of.Add(1)
	}
}

// The server and the client keep few bytes of an answer between them, as far as one can ask
// that of an operating system: what the handler has fetched is what the client has had, and a
// bit.
func TestAClientThatLeavesStopsThePaging(t *testing.T) {
	var pages fetched
	var session *gocql.Session
	session, weather = cassandra.Keyspace(t, cluster, cassandra.Configure(func(c *gocql.ClusterConfig) { c.QueryObserver = &pages }))
	cql(t, session, readingsTable)
	long := strings.Repeat("x", 1000) // so that the answer is 20 MB
	rows := source.Seq(func(yield func(Reading, error) bool) {
		for i := range 20_000 {
			if !yield(Reading{long, time.UnixMilli(int64(i)).UTC(), 1}, nil) {
				return
			}
		}
	})
	_, err := rxcql.Run(t.Context(), rows, sink.Table[Reading](session, weather+".readings"))
	require.NoError(t, err)

	ended := make(chan any, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() { ended <- recover() }()
		readings(session)(w, req)
	}))
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		require.NoError(t, conn.(*net.TCPConn).SetWriteBuffer(8<<10))
		return ctx
	}
	server.Start()
	defer server.Close()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(8 << 10)
		}
		return conn, err
	}}}
	defer client.CloseIdleConnections()

	answer, err := client.Get(server.URL + "/readings?sensor=" + long)
	require.NoError(t, err)
	_, err = bufio.NewReader(answer.Body).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close()) // the client goes
	require.Equal(t, http.ErrAbortHandler, <-ended)
	soFar := pages.of.Load()

	all, err := source.Query[Reading](session, "SELECT sensor, at, celsius FROM "+weather+".readings WHERE sensor = ?",
		source.Bind(long)).Count(t.Context(), rxcql.WithBudget(1<<20))
	require.NoError(t, err)
	require.EqualValues(t, 20_000, all)
	require.Less(t, soFar, (pages.of.Load()-soFar)/2, "pages were read for a client that did not read")
}
