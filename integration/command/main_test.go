// Package command_test runs the command rxcql as its users do: it builds the program and starts it,
// against a real Cassandra.
package command_test

import (
	"encoding/json"
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

func TestMain(m *testing.M) {
	cassandra.Main(m, &cluster)
}

// testWait only ends a hang.
const testWait = 10 * time.Minute

// program is the command while it runs.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr programs.Output
	over           <-chan struct{}
}

// start starts the command against the cluster of the tests. It is killed at the end of the test at
// the latest.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(programs.Build(t, "cmd/rxcql"), args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Env = append(os.Environ(), "RXCQL_HOSTS="+strings.Join(cluster.Hosts(), ","), "HOME="+t.TempDir())
	p.over = programs.Start(t, p.cmd)
	return p
}

// wait waits for the end of the command, and returns its exit code: -1 if it was killed.
func (p *program) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.over:
	case <-time.After(testWait):
		require.Fail(t, "the command does not end", "%s", p.stderr.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// run runs the command to its end.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	p := start(t, args...)
	code = p.wait(t)
	return code, p.stdout.String(), p.stderr.String()
}

// report is what --json prints.
type report struct {
	ExitCode int `json:"exit_code"`
	Error    string
	Read     int64  `json:"rows_read"`
	Written  int64  `json:"rows_written"`
	GoOn     string `json:"go_on"`
	Plans    []struct {
		Verb, From, To string
		Ranges         int64
	}
	Tables []tableReport
}

type tableReport struct {
	Table, Status, Error string
	Earlier              bool
	Anew                 string `json:"begun_anew"`
	Read                 int64  `json:"rows_read"`
	Report               json.RawMessage
}

func parsed(t *testing.T, text string) (r report) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &r), text)
	return r
}

// of returns what the report says of a table.
func (r report) of(t *testing.T, table string) tableReport {
	t.Helper()
	for _, each := range r.Tables {
		if each.Table == table {
			return each
		}
	}
	require.Fail(t, "not in the report", table)
	return tableReport{}
}
