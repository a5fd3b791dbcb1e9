package cqlfake_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestRowsComeInTheReverseOfTheirOrderInPagesOfAnySize(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *cqlfake.Server, session *gocql.Session) {
		for _, size := range []int{1, 3, 9, 10, 11, 100} {
			rows, err := source.Query[reading](session, everyReading+" WHERE sensor = 1 ORDER BY seq DESC", source.PageRows(size)).Collect(t.Context())
			require.NoError(t, err)
			require.Len(t, rows, 10)
			require.True(t, slices.IsSortedFunc(rows, func(a, b reading) int { return int(b.Seq - a.Seq) }))
		}
		rows, err := source.Query[reading](session, everyReading+" WHERE sensor = 1 AND seq > 5 ORDER BY seq DESC LIMIT 2").Collect(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int64{19, 17}, []int64{rows[0].Seq, rows[1].Seq})
	})
}

func TestINGivesTheRowsOfAllThatAreNamedEachOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *cqlfake.Server, session *gocql.Session) {
		for _, size := range []int{1, 4, 100} {
			for cql, bound := range map[string][]any{
				" WHERE sensor IN (1, 0, 7, 1)": nil,
				" WHERE sensor IN (?, ?)":       {0, 1},
				" WHERE sensor IN ?":            {[]int{1, 0, 5}},
			} {
				rows, err := source.Query[reading](session, everyReading+cql, source.PageRows(size), source.Bind(bound...)).Collect(t.Context())
				require.NoError(t, err, cql)
				met := map[int64]bool{}
				for _, r := range rows {
					met[r.Seq] = true
				}
				require.Len(t, rows, 20, cql)
				require.Len(t, met, 20, cql)
			}
		}
		var seqs []int64
		rows, err := source.Query[reading](session, everyReading+" WHERE sensor = 1 AND seq IN ?", source.Bind([]int64{9, 3, 2, 9})).Collect(t.Context())
		require.NoError(t, err)
		for _, r := range rows {
			seqs = append(seqs, r.Seq)
		}
		require.Equal(t, []int64{3, 9}, seqs)
	})
}

func TestAWriteWithAConditionIsAppliedOnlyWhereThatHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where the clock stands still
		server := cqlfake.New(t)
		server.Keyspace("ks", "t (p int PRIMARY KEY, v text, n int)")
		session := server.Session("ks")
		cas := func(cql string, bound ...any) (bool, map[string]any) {
			was := map[string]any{}
			applied, err := session.Query(cql, bound...).MapScanCAS(was)
			require.NoError(t, err, cql)
			return applied, was
		}
		applied, _ := cas("INSERT INTO t (p, v, n) VALUES (?, ?, ?) IF NOT EXISTS", 1, "a", 5)
		require.True(t, applied)
		applied, was := cas("INSERT INTO t (p, v) VALUES (?, ?) IF NOT EXISTS", 1, "b")
		require.False(t, applied)
		require.Equal(t, map[string]any{"p": 1, "v": "a", "n": 5}, was)
		applied, was = cas("UPDATE t SET v = 'c' WHERE p = 1 IF v = ?", "b")
		require.False(t, applied)
		require.Equal(t, map[string]any{"v": "a"}, was)
		for i := range 20 { // each is newer than the one before
			applied, _ = cas("UPDATE t SET v = ? WHERE p = 1 IF n = ?", fmt.Sprint(99-i), 5)
			require.True(t, applied)
			var v string
			require.NoError(t, session.Query("SELECT v FROM t WHERE p = 1").Scan(&v))
			require.Equal(t, fmt.Sprint(99-i), v)
		}
		applied, was = cas("UPDATE t SET v = 'c' WHERE p = 2 IF EXISTS")
		require.False(t, applied)
		require.Empty(t, was)
		applied, _ = cas("DELETE FROM t WHERE p = 1 IF EXISTS")
		require.True(t, applied)
		applied, _ = cas("INSERT INTO t (p, v) VALUES (?, ?) IF NOT EXISTS", 1, "d")
		require.True(t, applied)
	})
}

func TestSinkExecWritesWithAConditionToTheFake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks", "t (p int PRIMARY KEY, v int)")
		session := server.Session("ks")
		rows := operators.Map(source.Seq(func(yield func(int, error) bool) {
			for n := range 30 {
				if !yield(n, nil) {
					return
				}
			}
		}), func(n int) (int, error) { return n, nil })
		to := sink.Exec(session, "INSERT INTO t (p, v) VALUES (?, ?) IF NOT EXISTS", func(n int) ([]any, error) { return []any{n % 10, n}, nil }, sink.InFlight(1))
		_, err := rxcql.Run(t.Context(), rows, to)
		require.NoError(t, err)
		var first, count int
		iter := session.Query("SELECT v FROM t").Iter()
		for iter.Scan(&first) {
			require.Less(t, first, 10)
			count++
		}
		require.NoError(t, iter.Close())
		require.Equal(t, 10, count)
	})
}

func TestAColumnThatIsAddedIsThereForNewStatementsAndOldOnes(t *testing.T) {
	server := cqlfake.New(t)
	server.Keyspace("ks", "t (p int PRIMARY KEY, m int)")
	session := server.Session("ks")
	require.NoError(t, session.Query("INSERT INTO t (p, m) VALUES (1, 2)").Exec())
	all := func() map[string]any {
		row := map[string]any{}
		require.NoError(t, session.Query("SELECT * FROM t WHERE p = ?", 1).MapScan(row))
		return row
	}
	require.Equal(t, map[string]any{"p": 1, "m": 2}, all())
	require.NoError(t, session.Query("ALTER TABLE t ADD (a text, z int)").Exec())
	require.Equal(t, map[string]any{"p": 1, "m": 2, "a": "", "z": 0}, all())
	require.NoError(t, session.Query("UPDATE t SET a = ? WHERE p = ?", "new", 1).Exec())
	require.Equal(t, map[string]any{"p": 1, "m": 2, "a": "new", "z": 0}, all())
	metadata, err := server.Session("ks").KeyspaceMetadata("ks")
	require.NoError(t, err)
	require.Len(t, metadata.Tables["t"].Columns, 4)
	n, err := source.Table[rxcql.Row](session, "ks.t").Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
