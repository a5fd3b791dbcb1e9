package diff_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// copyOf copies a table of a session into another one that is made, and returns both.
func copyOf(t *testing.T, session *gocql.Session, from, to string, opts ...transfer.CopyOption) (left, right transfer.Table) {
	t.Helper()
	left, right = transfer.Table{Session: session, Name: from}, transfer.Table{Session: session, Name: to}
	job, err := transfer.Copy(left, right, append(opts, transfer.Create(), transfer.WithSplits(4))...)
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Complete)
	return left, right
}

func compared(t *testing.T, left, right transfer.Table, opts ...transfer.DiffOption) (transfer.DiffReport, string, error) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "diff")
	job, err := transfer.Diff(left, right, folder, append(opts, transfer.Pause(0), transfer.WithSplits(4))...)
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	return report, folder, err
}

func TestTransferDiffOfCountersComparesTheirValues(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.hits (p int, c int, total counter STATIC, n counter, m counter, PRIMARY KEY (p, c))", ks)
	for p := range 20 {
		exec(t, session, "UPDATE %s.hits SET total = total + %d WHERE p = %d", ks, p+1, p)
		for c := range p % 5 {
			exec(t, session, "UPDATE %s.hits SET n = n + %d, m = m - %d WHERE p = %d AND c = %d", ks, c, p, p, c)
		}
	}
	left, right := copyOf(t, session, ks+".hits", ks+".copied", transfer.Counters())
	report, _, err := compared(t, left, right)
	require.NoError(t, err)
	require.True(t, report.Equal(), report.String())
	require.Zero(t, report.Candidates)
	require.EqualValues(t, 40, report.SourceRows)

	exec(t, session, "UPDATE %s.copied SET n = n + 1 WHERE p = 3 AND c = 2", ks)
	exec(t, session, "UPDATE %s.copied SET total = total - 1 WHERE p = 7", ks)
	report, folder, err := compared(t, left, right)
	require.NoError(t, err)
	found, err := transfer.Differences(folder).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 2, report.String())
	for _, d := range found {
		require.Equal(t, transfer.Differing, d.Cause)
		require.Equal(t, map[bool]string{true: `{"p":7}`, false: `{"p":3,"c":2}`}[d.Static], string(d.Key))
	}

	repair, err := transfer.Repair(left, right, filepath.Join(folder, "differences.ndjson"), filepath.Join(t.TempDir(), "repair"))
	require.NoError(t, err)
	_, err = repair.Run(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "a counter cannot be written at a time; empty the target and copy it again")
}

func TestTransferDiffAfterRowsHaveExpiredOnTheWayIsSilent(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (p int, c int, s text STATIC, v text, m map<int, int>, PRIMARY KEY (p, c))", ks)
	exec(t, session, "CREATE TABLE %s.copied (p int, c int, s text STATIC, v text, m map<int, int>, PRIMARY KEY (p, c)) WITH default_time_to_live = 500000", ks)
	for p := range 30 {
		exec(t, session, "INSERT INTO %s.t (p, s) VALUES (%d, 's') USING TTL %d", ks, p, p%3*4)
		for c := range 5 {
			exec(t, session, "INSERT INTO %s.t (p, c, v, m) VALUES (%d, %d, 'v', {1: 1}) USING TTL %d", ks, p, c, c*2)
			exec(t, session, "UPDATE %s.t USING TTL %d SET m = m + {2: 2} WHERE p = %d AND c = %d", ks, 3+c, p, c)
		}
	}
	left, right := copyOf(t, session, ks+".t", ks+".copied", transfer.WithTimes())
	require.Eventually(t, func() bool {
		return session.Query("SELECT p FROM "+ks+".copied WHERE v = 'v' AND c > 0 ALLOW FILTERING").Iter().NumRows() == 0 &&
			session.Query("SELECT p FROM "+ks+".t WHERE v = 'v' AND c > 0 ALLOW FILTERING").Iter().NumRows() == 0
	}, 5*time.Minute, 100*time.Millisecond)
	report, folder, err := compared(t, left, right, transfer.WithTimes())
	require.NoError(t, err)
	found, err := transfer.Differences(folder).Collect(t.Context())
	require.NoError(t, err)
	require.Empty(t, found, report.String())
	require.Equal(t, [2]int64{30, 30}, [2]int64{report.SourceRows, report.TargetRows}, "those that never expire")
}

// A virtual table has no tokens to read by, so it is no side of a diff. A copy of its copy is
// compared, and plain CQL compares the copy with what it was made of.
func TestTransferDiffRefusesAVirtualTableAndComparesItsCopy(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	left, right := copyOf(t, session, "system_views.settings", ks+".settings")
	for _, sides := range [][2]transfer.Table{{left, right}, {right, left}} {
		_, _, err := compared(t, sides[0], sides[1])
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, "system_views.settings is a virtual table, which has no token ranges and cannot be compared: copy it into a table, and compare that")
	}
	settings := func(table string) map[string]string {
		all := map[string]string{}
		iter := session.Query("SELECT name, value FROM " + table).Iter()
		for name, value := "", ""; iter.Scan(&name, &value); value = "" {
			all[name] = value
		}
		require.NoError(t, iter.Close())
		return all
	}
	want := settings(left.Name)
	require.NotEmpty(t, want)
	require.Equal(t, want, settings(right.Name))
	_, again := copyOf(t, session, "system_views.settings", ks+".settings_again")
	report, _, err := compared(t, right, again)
	require.NoError(t, err)
	require.True(t, report.Equal(), report.String())
	require.EqualValues(t, len(want), report.SourceRows)
}
