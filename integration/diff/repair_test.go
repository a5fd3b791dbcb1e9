package diff_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/transfer"
)

// repair repairs the target of a test by a file, and returns the results by the place.
func (ts *tables) repair(t *testing.T, file string, opts ...transfer.RepairOption) (transfer.RepairReport, map[string]transfer.Outcome) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "repair")
	job, err := transfer.Repair(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right}, file, folder, opts...)
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Complete)
	all, err := transfer.Outcomes(folder).Collect(t.Context())
	require.NoError(t, err)
	got := map[string]transfer.Outcome{}
	for _, o := range all {
		got[placeOf(t, o.Difference)] = o
	}
	require.Len(t, got, len(all), "a place is named once")
	return report, got
}

func differences(folder string) string { return filepath.Join(folder, "differences.ndjson") }

// cells reads all values and write times of a table by plain CQL. Lists have no write times of
// their own.
func (ts *tables) cells(t *testing.T, table string) []string {
	t.Helper()
	var all []string
	iter := ts.session.Query(`SELECT p, c, s, v, n, m, e, f, u, l, writetime(s) AS ws, writetime(v) AS wv, writetime(n) AS wn,
		writetime(m) AS wm, writetime(e) AS we, writetime(f) AS wf, writetime(u) AS wu FROM ` + table).Iter()
	for row := map[string]any{}; iter.MapScan(row); row = map[string]any{} {
		text := ""
		for _, name := range slices.Sorted(maps.Keys(row)) {
			text += fmt.Sprintf("%s=%v ", name, row[name])
		}
		all = append(all, text)
	}
	require.NoError(t, iter.Close())
	slices.Sort(all)
	return all
}

func TestTransferRepairPutsEachDifferenceRightAndThenDiffIsSilent(t *testing.T) {
	ts := makeTables(t)
	want := ts.plant(t, true)
	_, folder := ts.diff(t, transfer.WithTimes())
	report, outcomes := ts.repair(t, differences(folder), transfer.WithTimes(), transfer.DeleteExtra(), transfer.Bump())
	require.Len(t, outcomes, len(want))

	// What only a deletion made different on the target is shadowed: the deletion is as old as what
	// the source has, and wins. What is newer stays.
	for place, o := range outcomes {
		switch d := want[place]; {
		case d.Cause == transfer.Newer:
			require.Equal(t, transfer.Left, o.Result, "%v %v", d, o)
		case d.Cause == transfer.Missing, len(d.Columns) == 1 && d.Columns[0].Cause == transfer.Missing,
			len(d.Columns) == 1 && d.Columns[0].Name == "m":
			require.Equal(t, transfer.Shadowed, o.Result, "%v %v", d, o)
		default:
			require.Equal(t, transfer.Repaired, o.Result, "%v %v", d, o)
		}
	}
	require.False(t, report.Repaired())
	require.EqualValues(t, 4*eachPlanted, report.Shadowed)
	again, _ := ts.diff(t, transfer.WithTimes())
	require.EqualValues(t, 6*eachPlanted, again.Differences(), "the shadowed ones and the newer ones are left: %v", again.String())
}

func TestTransferRepairOfMissingRowsIsExact(t *testing.T) {
	ts := makeTables(t)
	exec(t, ts.session, "TRUNCATE %s", ts.right) // no tombstones
	exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d AND TTL 80000 SET n = 1, m = m + {'c': 3} WHERE %s", ts.left, base+10, at(5, 5))
	_, folder := ts.diff(t, transfer.WithTimes())
	report, _ := ts.repair(t, differences(folder), transfer.WithTimes())
	require.True(t, report.Repaired(), report.String())
	require.EqualValues(t, partitions*rows+partitions, report.Written, "all rows, and the static columns of each partition")
	require.Equal(t, ts.cells(t, ts.left), ts.cells(t, ts.right))
	again, _ := ts.diff(t, transfer.WithTimes())
	require.True(t, again.Equal(), again.String())
}

func TestTransferRepairLeavesWhatIsNewerExtraOrTiedUnlessItIsTold(t *testing.T) {
	ts := makeTables(t)
	exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET v = 'newer' WHERE %s", ts.right, base+5, at(1, 1))
	exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET n = 70 WHERE %s", ts.left, base+5, at(2, 2))
	exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET n = 80 WHERE %s", ts.right, base+5, at(2, 2))
	exec(t, ts.session, "INSERT INTO %s (p, q, c, v) VALUES (3, 'q', 300, 'extra') USING TIMESTAMP %d", ts.right, base+5)
	exec(t, ts.session, "INSERT INTO %s (p, q, c) VALUES (4, 'q', 300) USING TIMESTAMP %d", ts.right, base+5)
	exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET m = m + {'x': 9}, u.b = 'n' WHERE %s", ts.right, base+5, at(5, 5))
	_, folder := ts.diff(t)
	before := ts.cells(t, ts.right)

	report, outcomes := ts.repair(t, differences(folder))
	require.EqualValues(t, 5, report.Left, report.String())
	require.Equal(t, before, ts.cells(t, ts.right), "nothing was written")
	require.Equal(t, transfer.Newer, outcomes["1/1"].Cause)
	require.Equal(t, transfer.Tie, outcomes["2/2"].Cause)
	require.Equal(t, transfer.Extra, outcomes["3/300"].Cause)

	_, outcomes = ts.repair(t, differences(folder), transfer.Bump(), transfer.DeleteExtra())
	for place, want := range map[string]transfer.Result{
		"1/1": transfer.Left, "2/2": transfer.Repaired, "3/300": transfer.Repaired, "4/300": transfer.Remaining, "5/5": transfer.Left,
	} {
		require.Equal(t, want, outcomes[place].Result, place)
	}
	require.Equal(t, []transfer.ColumnDifference{{Name: "u", Cause: transfer.Newer, SourceTime: base, TargetTime: base + 5}}, outcomes["5/5"].Columns,
		"the extra element is gone, and the newer field is left")
	exec(t, ts.session, "INSERT INTO %s (p, q, c, v) VALUES (3, 'q', 300, 'later') USING TIMESTAMP %d", ts.right, base+6)
	var v string
	require.NoError(t, ts.session.Query("SELECT v FROM "+ts.right+" WHERE "+at(3, 300)).Scan(&v),
		"it was deleted at the time that was read, and not now")
	require.Equal(t, "later", v)
	var n, at2 int64
	require.NoError(t, ts.session.Query("SELECT n, writetime(n) FROM "+ts.right+" WHERE "+at(2, 2)).Scan(&n, &at2))
	require.EqualValues(t, 70, n)
	require.EqualValues(t, base+6, at2, "one microsecond later than both")
}

func TestTransferRepairSaysThatARowIsShadowedByANewerDeletion(t *testing.T) {
	ts := makeTables(t)
	exec(t, ts.session, "DELETE FROM %s USING TIMESTAMP %d WHERE %s", ts.right, base+100, at(7, 7))
	_, folder := ts.diff(t)
	report, outcomes := ts.repair(t, differences(folder))
	require.Equal(t, transfer.Shadowed, outcomes["7/7"].Result)
	require.Equal(t, transfer.Missing, outcomes["7/7"].Cause)
	require.EqualValues(t, 1, report.Shadowed)
	require.False(t, report.Repaired())
}

func TestTransferRepairTakesAFileOfKeysAndRanges(t *testing.T) {
	ts := makeTables(t)
	for p := range 6 {
		exec(t, ts.session, "UPDATE %s USING TIMESTAMP %d SET v = 'new' WHERE %s", ts.left, base+5, at(p, 2))
	}
	var token int64
	require.NoError(t, ts.session.Query("SELECT token(p, q) FROM "+ts.left+" WHERE p = 3 AND q = 'q' LIMIT 1").Scan(&token))
	file := filepath.Join(t.TempDir(), "keys.ndjson")
	text := `{"key":{"p":1,"q":"q","c":2}}` + "\n" + `{"key":{"c":3,"q":"q","p":1}}` + "\n\n" + fmt.Sprintf(`{"range":[%d,%d]}`, token-1, token) + "\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	report, outcomes := ts.repair(t, file)
	require.True(t, report.Repaired())
	require.Equal(t, transfer.Repaired, outcomes["1/2"].Result)
	require.Equal(t, transfer.AlreadyEqual, outcomes["1/3"].Result)
	require.Equal(t, transfer.Repaired, outcomes["3/2"].Result)
	require.Len(t, outcomes, 3)
	again, _ := ts.diff(t, transfer.OnlyRanges(flow.TokenRange{Start: token - 1, End: token}))
	require.True(t, again.Equal())
	require.EqualValues(t, rows, again.SourceRows)

	t.Run("and refuses lines that are none, before it writes", func(t *testing.T) {
		require.NoError(t, os.WriteFile(file, []byte(`{"key":{"p":2,"q":"q","c":2}}`+"\n"+`{"key":{"p":"two"}}`+"\n"+`nothing`+"\n"), 0o600))
		job, err := transfer.Repair(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right}, file, filepath.Join(t.TempDir(), "repair"))
		require.NoError(t, err)
		_, err = job.Run(t.Context())
		require.ErrorContains(t, err, "line 2")
		require.ErrorContains(t, err, `the key has no "c"`)
		require.ErrorContains(t, err, "line 3")
		left, _ := ts.diff(t)
		require.EqualValues(t, 4, left.Differences())
	})
}

func TestTransferRepairGoesOnWhereItWasInterrupted(t *testing.T) {
	ts := makeTables(t)
	exec(t, ts.session, "TRUNCATE %s", ts.right)
	_, folder := ts.diff(t, transfer.WithTimes())
	into := filepath.Join(t.TempDir(), "repair")
	errKilled := errors.New("killed")
	runs := 0
	for {
		runs++
		require.Less(t, runs, 200)
		ctx, slow, killed := killedAfterSaves(t, errKilled)
		job, err := transfer.Repair(transfer.Table{Session: ts.session, Name: ts.left}, transfer.Table{Session: ts.session, Name: ts.right},
			differences(folder), into, append(slow, transfer.WithTimes())...)
		require.NoError(t, err)
		report, err := job.Run(ctx)
		killed()
		if err == nil {
			require.True(t, report.Repaired(), report.String())
			break
		}
		require.ErrorIs(t, err, errKilled)
	}
	require.Greater(t, runs, 3)
	require.Equal(t, ts.cells(t, ts.left), ts.cells(t, ts.right))
}
