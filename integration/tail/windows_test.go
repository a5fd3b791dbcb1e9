package tail_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var windowKills = flag.Int("kill.windows", 6, "how often a process that folds windows of a tail is killed")

// TestKillWindowsOfATail kills processes that fold what a tail gives in windows, by kill -9, while
// rows are written, in time and late. Each kills itself, when so many rows, results, writes or
// saves have come: so it does not matter how fast the machine is. In the end the table of results
// is that of a run that nobody has disturbed, and that is compared with one made by hand.
func TestKillWindowsOfATail(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, session.Query("CREATE TABLE "+ks+".raw (slot bigint, shard int, arrived timestamp, id bigint, k int, at timestamp, "+
		"PRIMARY KEY ((slot, shard), arrived, id))").Exec())
	insert := func(id int64, shard int, arrived time.Time) error {
		h := happened(id, arrived)
		return session.Query("INSERT INTO "+ks+".raw (slot, shard, arrived, id, k, at) VALUES (?, ?, ?, ?, ?, ?)",
			slotOf(arrived), shard, arrived, h.ID, h.K, h.At).Exec()
	}
	const past, backlog = time.Minute, 3000
	begin := time.Now().Add(-past)
	rows := map[int64]time.Time{}
	for id := range int64(backlog) {
		rows[id] = begin.Add(time.Duration(id) * past / backlog)
		require.NoError(t, insert(id, int(id%shards), rows[id]))
	}
	w := writeBy(t, &writer{insert: insert, takes: 2 * time.Second, promises: windowsOverlap - 3*time.Second}, backlog, 20*time.Millisecond)

	task := func(name string) windowsTask {
		require.NoError(t, session.Query("CREATE TABLE "+ks+"."+name+" (k int, start timestamp, ids frozen<list<bigint>>, PRIMARY KEY (k, start))").Exec())
		return windowsTask{
			Host: cluster.Hosts()[0], From: ks + ".raw", To: ks + "." + name,
			Checkpoint: filepath.Join(t.TempDir(), name+".checkpoint"), Begin: begin.Add(-time.Second),
		}
	}
	killed, at := task("killed"), map[string]int{}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range *windowKills {
		killed.Event = slices.Sorted(maps.Keys(windowsEvents))[random.IntN(len(windowsEvents))]
		killed.Times = 1 + random.Int64N(windowsEvents[killed.Event])
		foldWindows(t, killed)
		at[killed.Event]++
	}
	w.end()
	maps.Copy(rows, w.rows(t))
	killed.Event, killed.Until = "", time.Now().Add(time.Second)
	whole := task("whole")
	whole.Until = killed.Until

	want := map[windowKey][]int64{}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		h := happened(id, rows[id])
		key := windowKey{h.K, h.At.Truncate(windowSize)}
		want[key] = append(want[key], id)
	}
	for _, do := range []windowsTask{whole, killed} {
		done := foldWindows(t, do)
		require.True(t, done.Complete)
		got, all := windowsIn(t, session, do.To)
		require.EqualValues(t, all+int(done.LateRows), done.Resumed+done.Read, "rows were settled twice")
		for key, ids := range got {
			ids = slices.DeleteFunc(ids, func(id int64) bool { _, promised := rows[id]; return !promised })
			if got[key] = ids; len(ids) == 0 {
				delete(got, key)
			}
		}
		require.Equal(t, want, got, "%s", do.To)
	}
	t.Logf("killed %d times over %d rows: %v", *windowKills, len(rows), at)
}

// foldWindows runs a process on a task. If there is an event it kills itself.
func foldWindows(t *testing.T, do windowsTask) (done windowsDone) {
	t.Helper()
	text, err := json.Marshal(do)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), windowsEnv+"="+string(text))
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	err = cmd.Run()
	if do.Event != "" {
		require.ErrorContains(t, err, "killed", complaint.String())
		return done
	}
	require.NoError(t, err, complaint.String())
	require.NoError(t, json.Unmarshal(said.Bytes(), &done), said.String())
	return done
}

// windowKey is the primary key of a result.
type windowKey struct {
	k     int
	start time.Time
}

func (k windowKey) String() string { return fmt.Sprint("key ", k.k, " from ", k.start) }

// windowsIn reads a table of results with the driver alone. rows is how many rows are in windows.
func windowsIn(t *testing.T, session *gocql.Session, table string) (all map[windowKey][]int64, rows int) {
	t.Helper()
	all = map[windowKey][]int64{}
	iter := session.Query("SELECT k, start, ids FROM " + table).Iter()
	var key windowKey
	for ids := []int64(nil); iter.Scan(&key.k, &key.start, &ids); ids = nil {
		key.start = key.start.UTC()
		all[key] = ids
		rows += len(ids)
	}
	require.NoError(t, iter.Close())
	return all, rows
}
