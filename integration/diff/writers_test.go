package diff_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/transfer"
)

// afterRow calls fn when a row was read by its key, before the reader goes on, with the last
// value of the key as it was bound.
type afterRow func(last []byte)

func (fn afterRow) ObserveQuery(_ context.Context, q gocql.ObservedQuery) {
	if !strings.HasPrefix(q.Statement, "SELECT ") || !strings.Contains(q.Statement, "LIMIT 1") {
		return
	}
	last, err := q.Values[len(q.Values)-1].(gocql.Marshaler).MarshalCQL(gocql.NewNativeType(4, gocql.TypeInt, ""))
	if err != nil {
		panic(err)
	}
	fn(last)
}

func TestTransferRepairDeletesNothingThatIsWrittenMeanwhile(t *testing.T) {
	ts := makeTables(t)
	for i, tc := range []struct {
		name      string
		step      int  // of the repair, in which the writer writes: 1 plans, 2 writes
		target    bool // when the target was read, and not the source
		onlyThere bool // to the source alone, at the time that the target has already
	}{
		{name: "to both, between the two readings of the step that plans", step: 1},
		{name: "to both, between the two readings of the step that deletes", step: 2},
		{name: "to the source, behind both readings of the step that deletes", step: 2, target: true, onlyThere: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			moving, extra := 500+i, 600+i
			file := filepath.Join(t.TempDir(), "keys.ndjson")
			keys := fmt.Sprintf(`{"key":{"p":1,"q":"q","c":%d}}`+"\n"+`{"key":{"p":1,"q":"q","c":%d}}`, moving, extra)
			require.NoError(t, os.WriteFile(file, []byte(keys), 0o600))
			insert := func(table string, c int, v string, at int64) {
				exec(t, ts.session, "INSERT INTO %s (p, q, c, v) VALUES (1, 'q', %d, '%s') USING TIMESTAMP %d", table, c, v, at)
			}
			insert(ts.right, moving, "extra", base+1)
			insert(ts.right, extra, "extra", base+1)

			var armed atomic.Bool
			written := "extra"
			config := cluster.Config()
			config.Keyspace = ts.ks
			config.QueryObserver = afterRow(func(c []byte) {
				switch {
				case !bytes.Equal(c, binary.BigEndian.AppendUint32(nil, uint32(moving))):
				case !armed.CompareAndSwap(true, false):
				case tc.onlyThere:
					insert(ts.left, moving, "extra", base+1)
				default:
					written = "written"
					insert(ts.left, moving, written, base+100)
					insert(ts.right, moving, written, base+100)
				}
			})
			watched, err := config.CreateSession()
			require.NoError(t, err)
			defer watched.Close()
			left, right := ts.session, ts.session
			if tc.target {
				right = watched
			} else {
				left = watched
			}
			steps := 0
			hooks := rxcql.WithHooks(rxcql.Hooks{RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context {
				if steps++; steps == tc.step {
					armed.Store(true)
				}
				return ctx
			}})
			job, err := transfer.Repair(transfer.Table{Session: left, Name: ts.left}, transfer.Table{Session: right, Name: ts.right}, file,
				filepath.Join(t.TempDir(), "repair"), transfer.DeleteExtra(), transfer.WithRun(hooks))
			require.NoError(t, err)
			report, err := job.Run(t.Context())
			require.NoError(t, err)
			require.True(t, report.Complete)
			require.False(t, armed.Load())

			var v string
			require.NoError(t, ts.session.Query("SELECT v FROM "+ts.right+" WHERE "+at(1, moving)).Scan(&v), "both sides have it")
			require.Equal(t, written, v)
			require.ErrorIs(t, ts.session.Query("SELECT v FROM "+ts.right+" WHERE "+at(1, extra)).Scan(&v), gocql.ErrNotFound, "this one was extra")
		})
	}
}

func TestTransferRepairWritesAtEveryTimeThatThereIs(t *testing.T) {
	ts := makeTables(t)
	for i, at2 := range []int64{0, -5} { // rows of their own, that the target does not have
		exec(t, ts.session, "INSERT INTO %s (p, q, c, v, n) VALUES (%d, 'q', 700, 'x', 1) USING TIMESTAMP %d", ts.left, i, at2)
		exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d AND TTL 70000 SET m = {'a': 1}, u = {a: 1}, l = [1, 1] WHERE %s", ts.left, at2, at(i, 700))
		exec(t, ts.session, "INSERT INTO %s (p, q, c, v) VALUES (%d, 'q', 701, 'extra') USING TIMESTAMP %d", ts.right, i, at2)
	}
	_, folder := ts.diff(t, transfer.WithTimes())
	report, _ := ts.repair(t, differences(folder), transfer.WithTimes(), transfer.DeleteExtra())
	require.True(t, report.Repaired(), report.String())
	require.EqualValues(t, 4, report.Written)
	require.Equal(t, ts.cells(t, ts.left), ts.cells(t, ts.right))
	again, _ := ts.diff(t, transfer.WithTimes())
	require.True(t, again.Equal(), again.String())
}

func TestTransferDiffAndRepairRefuseATableAsBothSides(t *testing.T) {
	ts := makeTables(t)
	table := transfer.Table{Session: ts.session, Name: ts.left}
	diff, err := transfer.Diff(table, table, filepath.Join(t.TempDir(), "diff"))
	require.NoError(t, err)
	_, err = diff.Run(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "both the source and the target")
	file := filepath.Join(t.TempDir(), "keys.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(`{"key":{"p":1,"q":"q","c":2}}`), 0o600))
	folder := filepath.Join(t.TempDir(), "repair")
	repair, err := transfer.Repair(table, table, file, folder)
	require.NoError(t, err)
	_, err = repair.Run(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.NoDirExists(t, folder)

	t.Run("and a repair knows its file by what is in it", func(t *testing.T) {
		run := func(text string) error {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			job, err := transfer.Repair(table, transfer.Table{Session: ts.session, Name: ts.right}, file, folder)
			require.NoError(t, err)
			_, err = job.Run(t.Context())
			return err
		}
		require.NoError(t, run(`{"key":{"p":1,"q":"q","c":2}}`))
		require.ErrorIs(t, run(`{"key":{"p":1,"q":"q","c":3}}`), rxcql.ErrCheckpointForeign)
		require.NoError(t, run(`{"key":{"p":1,"q":"q","c":2}}`))
	})
}

func TestTransferDiffReadsOnlyCandidatesAgain(t *testing.T) {
	ts := makeTables(t)
	exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET v = 'new' WHERE %s", ts.left, base+5, at(1, 1))
	var again atomic.Int64
	config := cluster.Config()
	config.Keyspace = ts.ks
	config.QueryObserver = afterRow(func([]byte) { again.Add(1) })
	watched, err := config.CreateSession()
	require.NoError(t, err)
	defer watched.Close()
	job, err := transfer.Diff(transfer.Table{Session: watched, Name: ts.left}, transfer.Table{Session: watched, Name: ts.right}, filepath.Join(t.TempDir(), "diff"), transfer.Pause(0))
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Differences())
	require.EqualValues(t, 2, again.Load(), "the row that differs, on both sides")
}
