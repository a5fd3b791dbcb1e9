//go:build unix

package rollup_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// pending is a post of which the service has half the body.
type pending struct {
	conn   net.Conn
	answer *bufio.Reader
	rest   string
}

// begin posts half a body, and returns when the service reads it: to a client that expects it, the
// server says so.
func (s *service) begin(t *testing.T, body string) pending {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "POST /readings HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"+
		"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	p := pending{conn: conn, answer: bufio.NewReader(conn)}
	for _, line := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		said, err := p.answer.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, line, said)
	}
	half := len(body) / 2
	_, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", half, body[:half])
	require.NoError(t, err)
	p.rest = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body)-half, body[half:])
	return p
}

// finish posts the rest, and returns what the service answers.
func (p pending) finish(t *testing.T) (status int, text string) {
	t.Helper()
	_, err := io.WriteString(p.conn, p.rest)
	require.NoError(t, err)
	answer, err := http.ReadResponse(p.answer, nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

// The second half of the body comes when the service has said that it drains. The next process
// counts the readings.
func TestRollupASignalAnswersThePostsThatWereBegunAndTheNextProcessCountsTheirReadings(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			_, keyspace := cassandra.Keyspace(t, cluster)
			program := build(t)
			args := []string{"--window", "1s", "--out-of-order", "1s", "--write-deadline", "1m", "--lease", "3s"}
			s := start(t, program, keyspace, args...)
			s.watch(t) // a watcher holds nothing up
			at := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
			var body strings.Builder
			for i := range 100 {
				body.WriteString(reading("pending", at.Add(time.Duration(i)*time.Millisecond), float64(i)))
			}
			post := s.begin(t, body.String())
			require.NoError(t, s.cmd.Process.Signal(signal))
			s.until(t, "it drains", func() bool { return strings.Contains(s.log.String(), "draining") })
			status, text := post.finish(t)
			require.Equal(t, http.StatusOK, status, text)
			require.JSONEq(t, `{"written":100}`, text)
			<-s.ended
			require.Zero(t, s.cmd.ProcessState.ExitCode(), s.log)

			s = start(t, program, keyspace, args...)
			s.accepted(t, reading("later", at.Add(30*time.Second), 1))
			var got []rolled
			s.until(t, "the window is closed", func() bool {
				got = s.rollups(t, at.Add(-time.Hour))
				return len(got) > 0
			})
			require.Equal(t, []rolled{{"pending", at, at.Add(time.Second), 100, 0, 49.5, 0, 99}}, got)
		})
	}
}
