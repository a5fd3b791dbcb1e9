package tail_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var kills = flag.Int("kill.times", 12, "how often a process is killed")

// childEnv holds the task of a process that is to be killed.
const childEnv = "RXCQL_TEST_TAIL"

// task is what the process is to do.
type task struct {
	Host, From, To, Checkpoint string
	Until                      time.Time // zero: until it is killed
	Begin                      time.Time
}

// child tails a table into another one, and says how many rows it has read. A row that comes twice
// in one run is an error.
func child() int {
	var do task
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &do); err != nil {
		return complain(err)
	}
	session, err := connect(do.Host)
	if err != nil {
		return complain(err)
	}
	defer session.Close()
	opts := []source.TailOption{source.TailFrom(do.Begin), source.Overlap(overlap), source.PollEvery(20 * time.Millisecond), source.PageRows(50)}
	if !do.Until.IsZero() {
		opts = append(opts, source.TailUntil(do.Until))
	}
	seen := map[int64]bool{}
	once := operators.Tap(source.Tail[tick](session, do.From, slots, opts...), func(row tick) error {
		if seen[row.ID] {
			return fmt.Errorf("row %d has come twice", row.ID)
		}
		seen[row.ID] = true
		fmt.Println("read", len(seen))
		return nil
	})
	report, err := rxcql.Run(context.Background(), once, sink.Table[tick](session, do.To),
		rxcql.WithCheckpoint(checkpoint.File(do.Checkpoint), "tail", rxcql.CheckpointInterval(20*time.Millisecond)))
	if err != nil {
		return complain(err)
	}
	fmt.Println("complete", report.ResumedRows+report.ReadRows)
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func connect(host string) (*gocql.Session, error) {
	config := gocql.NewCluster(host)
	config.DisableInitialHostLookup = true // one node, maybe behind a mapped port
	if err := rxcql.Configure(config, ""); err != nil {
		return nil, err
	}
	return config.CreateSession()
}

// attempt runs a process, and kills it a while after it has begun to read, or lets it come to its
// end. It returns how many rows were settled in all, if it came to its end.
func attempt(t *testing.T, do task, after time.Duration) (total int64, complete bool) {
	t.Helper()
	text, err := json.Marshal(do)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var timer *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if timer == nil && after > 0 {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		}
		if _, err := fmt.Sscanf(lines.Text(), "complete %d", &total); err == nil {
			complete = true
		}
	}
	err = cmd.Wait()
	if complete {
		require.NoError(t, err)
	} else {
		require.ErrorContains(t, err, "killed", complaint.String())
	}
	return total, complete
}

// While rows are written, in time and late, a process that tails them in a job is killed again and
// again. All rows that were promised are in the target, and each was settled once.
func TestKillATail(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	createTicks(t, session, ks+".ticks", "")
	require.NoError(t, session.Query("CREATE TABLE "+ks+".target (id bigint PRIMARY KEY)").Exec())
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	do := task{
		Host: cluster.Hosts()[0], From: ks + ".ticks", To: ks + ".target", Begin: time.Now().Add(-time.Minute),
		Checkpoint: filepath.Join(t.TempDir(), "tail.checkpoint"),
	}
	w := write(t, session, ks+".ticks")
	for range *kills {
		_, complete := attempt(t, do, time.Duration(1+random.Int64N(int64(2*time.Second))))
		require.False(t, complete)
	}
	w.end()
	do.Until = time.Now().Add(time.Second)
	total, complete := attempt(t, do, 0)
	require.True(t, complete)

	got := map[int64]bool{}
	iter := session.Query("SELECT id FROM " + ks + ".target").Iter()
	for id := int64(0); iter.Scan(&id); {
		got[id] = true
	}
	require.NoError(t, iter.Close())
	promised := w.rows(t)
	require.NotEmpty(t, promised)
	for id := range promised {
		require.True(t, got[id], "row %d of %d is missing", id, len(promised))
	}
	require.EqualValues(t, len(got), total, "rows were settled twice")
	t.Logf("killed %d times over %d rows", *kills, len(got))
}
