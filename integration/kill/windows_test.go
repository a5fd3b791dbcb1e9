package kill_test

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
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var windowKills = flag.Int("kill.windows", 6, "how often a process that folds windows is killed, over all kinds of window")

// TestKillWindows kills processes in the middle of windows, by kill -9, and lets another one go on.
// Each kills itself, when so many rows, results, writes or saves have come: so it does not matter
// how fast the machine is. In the end the table is that of a run that nobody has disturbed, and
// that is compared with one made by hand. Rows that are too late are in a table of their own.
func TestKillWindows(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	rows := fillMeasured(t, session, ks+".measured")
	kinds := []string{"Tumbling", "Hopping", "Session"}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			k := &killedWindows{session: session, ks: ks, kind: kind, rows: rows}
			whole := k.task(t, "whole")
			done, killed := k.attempt(t, whole)
			require.False(t, killed)
			require.Positive(t, done.LateRows)
			k.isWhole(t, whole)
			want := k.inTime(resultsIn(t, session, whole.To))

			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			kills, jobs, at := 0, 0, map[string]int{}
			for most := (*windowKills + len(kinds) - 1) / len(kinds); kills < most || jobs == 0; jobs++ {
				do := k.task(t, fmt.Sprint("killed_", jobs))
				for {
					if do.Event = ""; kills < most {
						k.choose(&do, random, len(want))
					}
					done, killed := k.attempt(t, do)
					if !killed {
						require.EqualValues(t, len(rows), done.Resumed+done.Read, "rows were read again that were settled")
						break
					}
					kills++
					at[do.Event]++
				}
				k.isWhole(t, do)
				require.Equal(t, want, k.inTime(resultsIn(t, session, do.To)), "seed %d: the table of the run that was not disturbed", seed)
			}
			t.Logf("killed %d times in %d jobs of %d rows: %v", kills, jobs, len(rows), at)
		})
	}
}

// killedWindows is a job with a kind of window, again and again.
type killedWindows struct {
	session  *gocql.Session
	ks, kind string
	rows     []measured
}

func (k *killedWindows) task(t *testing.T, name string) windowsTask {
	t.Helper()
	results := fmt.Sprintf("%s.results_%s_%s", k.ks, strings.ToLower(k.kind), name)
	late := fmt.Sprintf("%s.late_%s_%s", k.ks, strings.ToLower(k.kind), name)
	require.NoError(t, k.session.Query("CREATE TABLE "+results+" (k int, start timestamp, ends timestamp, n bigint, sum bigint, PRIMARY KEY (k, start))").Exec())
	require.NoError(t, k.session.Query("CREATE TABLE "+late+" (id bigint PRIMARY KEY)").Exec())
	return windowsTask{
		Host: cluster.Hosts()[0], From: k.ks + ".measured", To: results, Late: late,
		Checkpoint: filepath.Join(t.TempDir(), "job.checkpoint"), Kind: k.kind,
	}
}

// choose says when the process is to kill itself.
func (k *killedWindows) choose(do *windowsTask, random *rand.Rand, results int) {
	do.Event = windowsEvents[random.IntN(len(windowsEvents))]
	most := map[string]int{"row": len(k.rows), "result": results, "write begins": results / 4, "write has ended": results / 4}[do.Event]
	if most == 0 {
		most = 30 // saves
	}
	do.Times = 1 + random.Int64N(int64(most))
}

// attempt runs a process on a task, and reports whether it has killed itself.
func (k *killedWindows) attempt(t *testing.T, do windowsTask) (done windowsDone, killed bool) {
	t.Helper()
	text, err := json.Marshal(do)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), windowsEnv+"="+string(text))
	var said, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if err := cmd.Run(); err != nil {
		require.NotEmpty(t, do.Event, "%v: %s", err, complaint.String())
		require.ErrorContains(t, err, "killed", complaint.String())
		return done, true
	}
	require.NoError(t, json.Unmarshal(said.Bytes(), &done), said.String())
	require.True(t, done.Complete)
	return done, false
}

// inTime are the results of rows that are not too late.
func (k *killedWindows) inTime(results map[windowKey]counted) map[windowKey]counted {
	results = maps.Clone(results)
	maps.DeleteFunc(results, func(key windowKey, _ counted) bool { return key.start.Before(measuredFrom.Add(-time.Hour)) })
	return results
}

// isWhole requires that each row in time is in its windows once, and that each row that is too late
// is in its windows once or among the late rows.
func (k *killedWindows) isWhole(t *testing.T, do windowsTask) {
	t.Helper()
	results, late := resultsIn(t, k.session, do.To), lateIn(t, k.session, do.Late)
	require.NotEmpty(t, late)
	var inTime []measured
	for _, m := range k.rows {
		if !m.isTooLate() {
			require.False(t, late[m.ID], "row %d is not late", m.ID)
			inTime = append(inTime, m)
			continue
		}
		for _, start := range startsByHand(k.kind, m.At) {
			key := windowKey{m.K, start}
			if result, there := results[key]; there {
				require.Equal(t, []int64{1, m.ID}, []int64{result.N, result.Sum}, "%v", key)
				delete(results, key)
				continue
			}
			require.True(t, late[m.ID], "row %d is not in %v, and not among the late ones", m.ID, key)
		}
	}
	want := windowsByHand(k.kind, inTime)
	for key, result := range want {
		require.Equal(t, result, results[key], "%v", key)
	}
	require.Len(t, results, len(want))
}
