package rollup_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// window is a row of the table of the service.
type window struct {
	Hour     time.Time `cql:"hour"`
	Until    time.Time `cql:"until"`
	Device   string    `cql:"device"`
	Since    time.Time `cql:"since"`
	Readings int64     `cql:"readings"`
	Repeated int64     `cql:"repeated"`
	Mean     float64   `cql:"mean"`
	Min      float64   `cql:"min"`
	Max      float64   `cql:"max"`
}

const (
	slowReaders = 200
	windowRows  = 24_000
)

// live is the heap that is alive, in bytes. The service runs with GOGC=20, so the next collection
// comes when the heap has grown by a fifth of what the last one left. Asking for metrics makes
// garbage, and so collections.
func (s *service) live(t *testing.T) float64 {
	t.Helper()
	before := s.metric(t, "go_gc_duration_seconds_count")
	s.until(t, "two collections have been", func() bool { return s.metric(t, "go_gc_duration_seconds_count") >= before+2 })
	return s.metric(t, "go_memstats_next_gc_bytes") / 1.2
}

// slowly asks for all windows, and reads a little of the answer.
func (s *service) slowly(t *testing.T, query string) (*bufio.Reader, net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(8<<10)) // as few bytes as possible between the two
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", query)
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, nil) //nolint:bodyclose // its body is read from r, and never to its end
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return r, conn
}

func TestRollupTwoHundredSlowReadersHoldFlatMemoryAndStopThePaging(t *testing.T) {
	t.Parallel()
	session, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--patience", patience.String())
	from := time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Hour)
	device := strings.Repeat("d", 100)
	rows := source.Seq(func(yield func(window, error) bool) {
		for i := range windowRows {
			until := from.Add(time.Duration(i) * time.Hour / windowRows)
			if !yield(window{Hour: from, Until: until, Device: fmt.Sprint(device, i), Since: until.Add(-time.Second), Readings: 1}, nil) {
				return
			}
		}
	})
	_, err := rxcql.Run(t.Context(), rows, sink.Table[window](session, keyspace+".rollups"))
	require.NoError(t, err)
	query := "/rollups?from=" + from.Format(time.RFC3339) + "&until=" + from.Add(time.Hour).Format(time.RFC3339)
	status, whole := s.get(t, query)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, windowRows, strings.Count(whole, "\n"))
	answer := float64(len(whole))

	before := s.live(t)
	read := func() float64 { return s.metric(t, `rxcql_rows_read_total{stage="Query"}`) }
	already := read()
	readers := make([]*bufio.Reader, slowReaders)
	conns := make([]net.Conn, slowReaders)
	for i := range readers {
		readers[i], conns[i] = s.slowly(t, query)
		defer conns[i].Close()
	}
	// Nobody reads now. The service has read what the connections and the readers' budgets take, and
	// stands still.
	still := func() {
		last, same := -1.0, 0
		s.until(t, "the paging stands still", func() bool {
			now := read()
			if same++; now != last {
				last, same = now, 0
			}
			return same >= 50
		})
	}
	still()
	first := s.live(t)
	stalled := read() - already
	require.EqualValues(t, slowReaders, s.metric(t, `rollup_clients{kind="reader"}`))
	require.Less(t, stalled, float64(slowReaders*windowRows)/4, "pages were read for clients that do not read")
	const each = 384 << 10 // the budget of a reader, and what a connection needs
	require.Less(t, first-before, float64(slowReaders*each))
	require.Less(t, float64(slowReaders*each), slowReaders*answer/4, "the answers are far larger")

	var taking sync.WaitGroup
	for _, r := range readers { // they read on, and stop again
		taking.Go(func() { _, _ = io.CopyN(io.Discard, r, 512<<10) })
	}
	taking.Wait()
	still()
	require.Greater(t, read()-already, stalled, "they were given more")
	require.EqualValues(t, slowReaders, s.metric(t, `rollup_clients{kind="reader"}`))
	require.Less(t, s.live(t)-before, float64(slowReaders*each))

	for _, conn := range conns {
		conn.Close()
	}
	s.until(t, "the clients that have gone are forgotten", func() bool { return s.metric(t, `rollup_clients{kind="reader"}`) == 0 })
	gone := read()
	status, again := s.get(t, query)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, whole, again)
	require.EqualValues(t, windowRows, read()-gone, "queries of clients that have gone have ended")
	t.Logf("heap alive: %.1f MB without readers, %.1f MB with %d that have stalled; an answer is %.1f MB; %.0f rows were read ahead for each",
		before/1e6, first/1e6, slowReaders, answer/1e6, stalled/slowReaders)
}
