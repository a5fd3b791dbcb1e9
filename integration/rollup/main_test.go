// Package rollup_test runs the example rollup as its users do, a process on a real Cassandra, and
// looks at what it answers.
package rollup_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/integration/programs"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }

// patience ends a hang; no test is as slow as that.
const patience = 5 * time.Minute

// build builds the service and returns the program's path.
func build(t *testing.T) string {
	t.Helper()
	return programs.Build(t, "examples/rollup")
}

// service is the example in a process of its own.
type service struct {
	url   string
	cmd   *exec.Cmd
	log   *programs.Output
	ended <-chan struct{}
}

// start starts the service in a keyspace, and returns when it serves. It is killed at the end of
// the test at the latest.
func start(t *testing.T, program, keyspace string, args ...string) *service {
	t.Helper()
	args = append([]string{"--hosts", strings.Join(cluster.Hosts(), ","), "--keyspace", keyspace}, args...)
	return serve(t, program, []string{"GOGC=20"}, args...) // so that the heap is about what is alive
}

// serve starts the service with variables of the environment.
func serve(t *testing.T, program string, env []string, args ...string) *service {
	t.Helper()
	cmd := exec.Command(program, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	return serving(t, cmd)
}

// serving starts a command that runs the service.
func serving(t *testing.T, cmd *exec.Cmd) *service {
	t.Helper()
	s := &service{cmd: cmd, log: &programs.Output{}}
	said := &programs.Output{}
	s.cmd.Stdout, s.cmd.Stderr = said, s.log
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the service said: %s", s.log)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	s.ended = programs.Start(t, s.cmd)
	s.until(t, "it serves", func() bool {
		_, address, found := strings.Cut(said.String(), "serving ")
		s.url = strings.TrimSpace(address)
		return found && strings.HasSuffix(address, "\n")
	})
	return s
}

// until waits for something that the service brings about. The pause is only there to look again.
func (s *service) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-s.ended:
			require.Fail(t, "the service has ended", "waiting until %s; it said: %s", what, s.log)
		default:
		}
		require.Less(t, time.Since(began), patience, "waiting until %s; it said: %s", what, s.log)
	}
}

// get asks for a path and returns the status and the body.
func (s *service) get(t *testing.T, path string) (int, string) {
	t.Helper()
	answer, err := http.Get(s.url + path)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

// metric is a metric's value now; 0 if it is not there yet.
func (s *service) metric(t *testing.T, name string) (value float64) {
	t.Helper()
	_, body := s.get(t, "/metrics")
	for line := range strings.Lines(body) {
		if text, found := strings.CutPrefix(line, name+" "); found {
			_, err := fmt.Sscan(text, &value)
			require.NoError(t, err, line)
		}
	}
	return value
}

// post posts a body.
func (s *service) post(body string) (status int, answer string, err error) {
	got, err := http.Post(s.url+"/readings", "application/x-ndjson", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return got.StatusCode, string(text), err
}

// accepted posts a body until it is acknowledged, as clients should: a machine may be slow.
func (s *service) accepted(t *testing.T, body string) {
	t.Helper()
	s.until(t, "a post is acknowledged", func() bool {
		status, text, err := s.post(body)
		require.NoError(t, err)
		require.Contains(t, []int{http.StatusOK, http.StatusTooManyRequests, http.StatusServiceUnavailable}, status, text)
		return status == http.StatusOK
	})
}

// reading is a line.
func reading(device string, at time.Time, value float64) string {
	return fmt.Sprintf("{\"device\":%q,\"at\":%q,\"value\":%g}\n", device, at.UTC().Format(time.RFC3339Nano), value)
}

// rolled is a line of GET /rollups.
type rolled struct {
	Device             string
	Since, Until       time.Time
	Readings, Repeated int64
	Mean, Min, Max     float64
}
