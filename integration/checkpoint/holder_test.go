package checkpoint_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
)

// helperEnv names the table in which this binary holds a job, instead of
// running tests.
const helperEnv = "RXCQL_CHECKPOINT_HOLDER"

// holder holds the job "job" with a short lease, saves each line of its input,
// and says what came of it.
func holder(table string) error {
	ctx := context.Background()
	c, err := cassandra.Start(ctx) // CASSANDRA_HOSTS says which
	if err != nil {
		return err
	}
	config := c.Config()
	config.DisableInitialHostLookup = true // the address in a container is another one
	session, err := config.CreateSession()
	if err != nil {
		return err
	}
	job, err := checkpoint.Table(session, table, checkpoint.Lease(shortLease)).Lock(ctx, "job")
	if err != nil {
		return err
	}
	fmt.Println("locked")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch err := job.Save(ctx, lines.Bytes()); {
		case errors.Is(err, rxcql.ErrCheckpointLost):
			fmt.Println("lost")
		case err != nil:
			return err
		default:
			fmt.Println("saved")
		}
	}
	return job.Unlock()
}

// process is another process that holds the job "job".
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	stdin io.Writer
}

func startHolder(t *testing.T, table string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+table, "RXCQL_CASSANDRA=hosts", "CASSANDRA_HOSTS="+cluster.Hosts()[0])
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{cmd: cmd, lines: bufio.NewScanner(stdout), stdin: stdin}
	t.Cleanup(p.kill)
	require.Equal(t, "locked", p.line(t))
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	require.True(t, p.lines.Scan(), "the holder said nothing more: %v", p.lines.Err())
	return p.lines.Text()
}

// save has it save data and returns what it says.
func (p *process) save(t *testing.T, data string) string {
	t.Helper()
	_, err := fmt.Fprintln(p.stdin, data)
	require.NoError(t, err)
	return p.line(t)
}

func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// takeOver locks the job when its lease has ended, and tells how long that took.
func takeOver(t *testing.T, store rxcql.CheckpointStore) (rxcql.Checkpoint, time.Duration) {
	t.Helper()
	begin := time.Now()
	for {
		c, err := store.Lock(t.Context(), "job")
		if err == nil {
			t.Cleanup(func() { _ = c.Unlock() })
			return c, time.Since(begin)
		}
		require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
		require.Less(t, time.Since(begin), 3*time.Minute, "the lease does not end")
		time.Sleep(100 * time.Millisecond)
	}
}
