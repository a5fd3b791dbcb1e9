package command_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
)

// rows reads a table with the driver alone, as texts in an order of their own. It reads JSON, which
// has every type and knows nothing of the toolkit.
func rows(t *testing.T, session *gocql.Session, table string) (all []string) {
	t.Helper()
	iter := session.Query("SELECT JSON * FROM " + table).PageSize(1000).Iter()
	var text string
	for iter.Scan(&text) {
		all = append(all, text)
	}
	require.NoError(t, iter.Close())
	slices.Sort(all)
	return all
}

// same compares two tables row for row, and says of many differences how many they are.
func same(t *testing.T, session *gocql.Session, from, to string) {
	t.Helper()
	want, got := rows(t, session, from), rows(t, session, to)
	require.Len(t, got, len(want), "rows of %s", to)
	for i := range want {
		require.Equal(t, want[i], got[i], "%s", to)
	}
}

// other makes a second keyspace for a test.
func other(t *testing.T, session *gocql.Session) string {
	t.Helper()
	name := fmt.Sprintf("other_%d", rand.Uint32())
	require.NoError(t, session.Query("CREATE KEYSPACE "+name+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").Exec())
	t.Cleanup(func() { _ = session.Query("DROP KEYSPACE " + name).Exec() })
	return name
}

// fill makes a table of so many rows, a hundred in each partition.
func fill(t *testing.T, session *gocql.Session, table string, n int) {
	t.Helper()
	require.NoError(t, session.Query("CREATE TABLE "+table+" (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
	const partition = 100
	for from := 0; from < n; from += partition {
		b := session.NewBatch(gocql.UnloggedBatch)
		for i := range min(partition, n-from) {
			b.Query("INSERT INTO "+table+" (p, c, a, b) VALUES (?, ?, ?, ?)", int64(from), i, fmt.Sprint("row ", from+i), int64(from+i))
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
}
