package rollup_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// zeros are so many bytes of one line.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(*z))
	for i := range p[:n] {
		p[i] = '0'
	}
	*z -= zeros(n)
	return int(n), nil
}

func TestRollupHostileBodiesGetClearErrorsAndWriteNothing(t *testing.T) {
	t.Parallel()
	session, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace)
	now := time.Now()
	post := func(body io.Reader, kind, encoding string) (int, string) {
		req, err := http.NewRequest(http.MethodPost, s.url+"/readings", body)
		require.NoError(t, err)
		req.Close = true
		req.Header.Set("Content-Type", kind)
		if encoding != "" {
			req.Header.Set("Content-Encoding", encoding)
		}
		conn, err := net.Dial("tcp", req.URL.Host)
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		var sending sync.WaitGroup
		sending.Go(func() { _ = req.Write(conn) }) // the service may close the connection in the middle of it
		answer, err := http.ReadResponse(bufio.NewReader(conn), req)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		answer.Body.Close()
		conn.Close()
		sending.Wait()
		return answer.StatusCode, string(text)
	}
	const ndjson = "application/x-ndjson"

	long := zeros(10 << 20)
	status, text := post(&long, ndjson, "")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, `"line":1,"error":"the line is longer than`)

	status, text = post(strings.NewReader(strings.Repeat(strings.Repeat("\n", 4000), 1000)), ndjson, "")
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, text, "too large")

	status, text = post(strings.NewReader(reading("good", now, 1)+"{\"device\":\"\xff\xfe\"}\n"), ndjson, "")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "UTF-8")
	require.Contains(t, text, `"line":2`)

	for _, deep := range []string{`{"device":`, `[`, `{"device":"a","value":[`} {
		status, text = post(strings.NewReader(strings.Repeat(deep, 4000/len(deep))+"\n"), ndjson, "")
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, `"line":1`)
	}

	status, text = post(strings.NewReader(reading("good", now, 1)+reading("ahead", now.Add(4*365*24*time.Hour), 1)), ndjson, "")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "clock is ahead")

	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	large := zeros(100 << 20)
	_, err := io.Copy(zip, &large)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	status, text = post(&bomb, ndjson, "gzip")
	require.Equal(t, http.StatusUnsupportedMediaType, status)
	require.Contains(t, text, "Content-Encoding")

	status, text = post(strings.NewReader(reading("form", now, 1)), "text/plain", "")
	require.Equal(t, http.StatusUnsupportedMediaType, status, "a page of another site could send it otherwise")
	require.Contains(t, text, "application/x-ndjson")

	var rows int
	require.NoError(t, session.Query("SELECT count(*) FROM "+keyspace+".readings").Scan(&rows))
	require.Zero(t, rows)
	s.accepted(t, reading("good", now, 1))
}

// Both clients send a little and then nothing. Each is sent away in time, and others are served
// meanwhile.
func TestRollupClientsThatSendSlowlyAreSentAway(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace)
	dial := func(words string) net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(conn, words)
		require.NoError(t, err)
		return conn
	}
	header := dial("POST /readings HTTP/1.1\r\nHost: x\r\nContent-")
	body := dial("POST /readings HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n{\"dev")
	s.accepted(t, reading("quick", time.Now(), 1))

	_, err := io.ReadAll(header)
	require.NoError(t, err, "the connection is closed")
	answer, err := http.ReadResponse(bufio.NewReader(body), nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
}

// The window of a device that was offline has closed long ago.
func TestRollupADeviceThatWasOfflineForADayIsLateAndItsReadingsAreKept(t *testing.T) {
	t.Parallel()
	session, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--write-deadline", "1m", "--window", "1s", "--out-of-order", "10ms")
	now := time.Now()
	s.accepted(t, reading("online", now.Add(-10*time.Second), 1)+reading("online", now, 2))
	s.until(t, "a window has closed", func() bool {
		_, rollups := s.get(t, "/rollups")
		return strings.Contains(rollups, `"online"`)
	})
	var old strings.Builder
	for i := range 7 {
		old.WriteString(reading("offline", now.Add(-24*time.Hour+time.Duration(i)*time.Second), float64(i)))
	}
	s.accepted(t, old.String())
	s.until(t, "the readings are counted as late", func() bool { return s.metric(t, "rollup_late_readings_total") == 7 })
	var rows int
	require.NoError(t, session.Query("SELECT count(*) FROM "+keyspace+".readings WHERE device = 'offline' ALLOW FILTERING").Scan(&rows))
	require.Equal(t, 7, rows)
	_, rollups := s.get(t, "/rollups?from="+now.Add(-48*time.Hour).UTC().Format(time.RFC3339))
	require.NotContains(t, rollups, "offline")
}

func TestRollupSaysHowItIs(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--write-deadline", "1m")
	s.until(t, "both pipelines run", func() bool {
		status, text := s.get(t, "/health")
		return status == http.StatusOK && strings.Contains(text, `"ingest":"runs"`) && strings.Contains(text, `"rollup":"runs"`)
	})
	status, text, err := s.post(reading("a", time.Now(), 1))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, text)
	require.EqualValues(t, 1, s.metric(t, "rollup_readings_total"))
	require.EqualValues(t, 1, s.metric(t, `rollup_posts_total{status="200"}`))
	require.EqualValues(t, 1, s.metric(t, fmt.Sprintf("rxcql_rows_written_total{stage=%q}", "Table "+keyspace+".readings")))
}
