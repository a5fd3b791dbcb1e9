package etl_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/integration/programs"
)

var cluster *cassandra.Cluster

// bigFile makes the Parquet test read that file (3 million flights, say) in
// place of the one that it writes.
var bigFile = flag.String("etl.big", "", "Parquet `file` of flights for the Parquet test")

// testWait is for programs that have little to do. It only ends a hang: some of them start a
// Cassandra first.
const testWait = 10 * time.Minute

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }

// build builds one of the examples and returns the program's path.
func build(t *testing.T, example string) string {
	t.Helper()
	return programs.Build(t, "examples/"+example)
}

// program is an example that runs.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr programs.Output
	ended          <-chan struct{}
	memory         func() int64
}

// waitFor waits until the program has said something on its standard output.
func (p *program) waitFor(t *testing.T, words string) {
	t.Helper()
	for !strings.Contains(p.stdout.String(), words) {
		select {
		case <-p.ended:
			require.Contains(t, p.stdout.String(), words, p.stderr.String())
		case <-time.After(5 * time.Millisecond): // to look again
		}
	}
}

// ended is how a program ended, and what it said.
type ended struct {
	code           int
	stdout, stderr string
	memory         int64 // at most, in bytes; 0 where it is not known
}

// start starts a program; env goes on top of the environment, an empty value
// takes a variable away. It is killed at the end of the test at the latest.
func start(t *testing.T, env map[string]string, name string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(name, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); !contains(env, name) {
			p.cmd.Env = append(p.cmd.Env, entry)
		}
	}
	for name, value := range env {
		if value != "" {
			p.cmd.Env = append(p.cmd.Env, name+"="+value)
		}
	}
	p.ended = programs.Start(t, p.cmd)
	p.memory = programs.PeakMemory(p.cmd, p.ended)
	return p
}

func contains(env map[string]string, name string) bool {
	_, found := env[name]
	return found
}

// wait waits for the end of a program.
func (p *program) wait(t *testing.T, atMost time.Duration) ended {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(atMost):
		require.Fail(t, "the program does not end", "after %v", atMost)
	}
	return ended{
		code: p.cmd.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String(),
		memory: p.memory(),
	}
}

// runETL runs the example against the cluster of the tests, in a keyspace.
func runETL(t *testing.T, program, keyspace string, args ...string) ended {
	t.Helper()
	return start(t, nil, program, append(against(keyspace), args...)...).wait(t, etlWait())
}

// etlWait is longer for millions of flights; give go test a -timeout then.
func etlWait() time.Duration {
	if *bigFile != "" {
		return 30 * time.Minute
	}
	return 15 * time.Minute
}

func against(keyspace string) []string {
	return []string{"--hosts", strings.Join(cluster.Hosts(), ","), "--keyspace", keyspace}
}

// file writes a file for a test.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
