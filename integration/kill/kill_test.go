package kill_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/saved"
)

var kills = flag.Int("kill.times", 10, "how often a process is killed")

const (
	keptRows      = 24_000
	keptPartition = 150
)

// fill writes the table that is copied.
func fill(t *testing.T, session *gocql.Session) {
	t.Helper()
	require.NoError(t, session.Query("CREATE TABLE original (p bigint, c int, a text, b bigint, d double, PRIMARY KEY (p, c))").Exec())
	for from := 0; from < keptRows; from += keptPartition {
		b := session.NewBatch(gocql.UnloggedBatch)
		for i := from; i < from+keptPartition; i++ {
			b.Query("INSERT INTO original (p, c, a, b, d) VALUES (?, ?, ?, ?, ?)",
				int64(from), i-from, fmt.Sprint("row ", i), int64(i), float64(i)/7)
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
}

// contents reads a table with the driver alone.
func contents(t *testing.T, session *gocql.Session, table string) map[int64]row {
	t.Helper()
	all := map[int64]row{}
	iter := session.Query("SELECT p, c, a, b, d FROM " + table).Iter()
	for r := (row{}); iter.Scan(&r.P, &r.C, &r.A, &r.B, &r.D); {
		all[r.B] = r
	}
	require.NoError(t, iter.Close())
	return all
}

// settled is how many rows a checkpoint takes for done with; 0 if there is none.
func settled(t *testing.T, file string) (rows int64) {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	state, err := saved.Decode(data)
	require.NoError(t, err, "after a kill")
	for _, src := range state.Sources {
		rows += src.Rows
		for _, part := range src.Parts {
			rows += part.Rows
		}
	}
	return rows
}

// attempt runs a process on a task and kills it after a while, or lets it come to
// its end. It returns what the process said last of the rows that it read, and
// whether it came to the end.
func attempt(t *testing.T, do task, after time.Duration) (read int64, complete bool) {
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
		if timer == nil && after > 0 { // from when it is at work
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		}
		var n int64
		if _, err := fmt.Sscanf(lines.Text(), "read %d", &n); err == nil {
			read = n
		}
		if _, err := fmt.Sscanf(lines.Text(), "complete %d", &n); err == nil {
			complete = true
			require.EqualValues(t, keptRows, n, "rows settled by all runs together")
		}
	}
	err = cmd.Wait()
	if !complete {
		require.Error(t, err)
		require.True(t, strings.Contains(err.Error(), "killed"), "%v: %s", err, complaint.String())
	}
	return read, complete
}

// killed has processes work on a job until one has come to its end, and kills
// those before. done is called when a job is complete; there may be several.
func killed(t *testing.T, job func(round int) task, done func(do task)) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	round, n := 0, 0
	do := job(round)
	var again int64
	for {
		before := settled(t, do.Checkpoint)
		after := time.Duration(0)
		if n < *kills {
			after = time.Duration(1 + random.Int64N(int64(700*time.Millisecond)))
		}
		read, complete := attempt(t, do, after)
		require.LessOrEqual(t, before+read, int64(keptRows), "rows were read again that were settled")
		if !complete {
			n++
			again += before + read - settled(t, do.Checkpoint)
			continue
		}
		done(do)
		if n >= *kills {
			t.Logf("killed %d times in %d jobs of %d rows; %d rows were read again", n, round+1, keptRows, again)
			return
		}
		round++
		do = job(round)
	}
}

func TestKillACopy(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session)
	want := contents(t, session, "original")
	require.Len(t, want, keptRows)
	killed(t, func(round int) task {
		to := fmt.Sprint("target_", round)
		require.NoError(t, session.Query("CREATE TABLE "+to+" (p bigint, c int, a text, b bigint, d double, PRIMARY KEY (p, c))").Exec())
		return task{
			Host: cluster.Hosts()[0], From: ks + ".original", To: ks + "." + to,
			Checkpoint: filepath.Join(t.TempDir(), "job.checkpoint"),
		}
	}, func(do task) {
		_, table, _ := strings.Cut(do.To, ".")
		same(t, want, contents(t, session, table))
	})
}

// same compares row for row, and says of many differences how many they are.
func same(t *testing.T, want, got map[int64]row) {
	t.Helper()
	var missing, other int
	for key, row := range want {
		if it, found := got[key]; !found {
			missing++
		} else if it != row {
			other++
		}
	}
	require.Zero(t, missing, "rows are missing")
	require.Zero(t, other, "rows are other ones")
	require.Len(t, got, len(want))
}

func TestKillAnUnload(t *testing.T) { killUnloads(t, false) }

func TestKillAnUnloadWithALookup(t *testing.T) { killUnloads(t, true) }

func killUnloads(t *testing.T, lookUp bool) {
	t.Helper()
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session)
	want := contents(t, session, "original")
	killed(t, func(int) task {
		folder := t.TempDir()
		return task{
			Host: cluster.Hosts()[0], From: ks + ".original", LookUp: lookUp,
			File: filepath.Join(folder, "rows.ndjson"), Checkpoint: filepath.Join(folder, "job.checkpoint"),
		}
	}, func(do task) {
		f, err := os.Open(do.File)
		require.NoError(t, err)
		defer f.Close()
		got := map[int64]row{}
		n := 0
		lines := bufio.NewScanner(f)
		for ; lines.Scan(); n++ {
			var r row
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
			got[r.B] = r
		}
		require.NoError(t, lines.Err())
		same(t, want, got)
		require.Equal(t, keptRows, n, "a row is in the file twice")
	})
}
