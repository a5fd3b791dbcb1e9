// Package diff_test proves transfer.Diff and transfer.Repair against a real Cassandra.
package diff_test

import (
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }

// exec runs statements of a test's set-up.
func exec(t *testing.T, session *gocql.Session, format string, args ...any) {
	t.Helper()
	require.NoError(t, session.Query(fmt.Sprintf(format, args...)).Exec())
}

// Two tables that are equal except for what is planted.
const (
	partitions = 60
	rows       = 10 // of each partition
	base       = 1_700_000_000_000_000
)

// tables are a source and a target with rows of all kinds, all written at base.
type tables struct {
	session     *gocql.Session
	ks          string
	left, right string
}

func makeTables(t *testing.T) *tables {
	t.Helper()
	session, ks := cassandra.Keyspace(t, cluster)
	ts := &tables{session: session, ks: ks, left: ks + ".source", right: ks + ".target"}
	exec(t, session, "CREATE TYPE %s.pair (a int, b text)", ks)
	for _, table := range []string{ts.left, ts.right} {
		exec(t, session, `CREATE TABLE %s (p int, q text, c int, s text STATIC, v text, n bigint, m map<text, int>, e set<int>,
			f frozen<list<int>>, u pair, l list<int>, PRIMARY KEY ((p, q), c)) WITH CLUSTERING ORDER BY (c DESC)`, table)
		for p := range partitions {
			b := session.NewBatch(gocql.UnloggedBatch)
			b.Query(fmt.Sprintf("UPDATE %s USING TIMESTAMP %d SET s = 'static' WHERE p = ? AND q = ?", table, base), p, "q")
			for c := range rows {
				b.Query(fmt.Sprintf(`INSERT INTO %s (p, q, c, v, n) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP %d`, table, base), p, "q", c, fmt.Sprint(p, c), int64(c))
				b.Query(fmt.Sprintf(`UPDATE %s USING TIMESTAMP %d SET m = m + {'a': 1, 'b': 2}, e = e + {1, 2}, f = [1, 2], u.a = 1, u.b = 'x', l = l + [1, 2]
					WHERE p = ? AND q = ? AND c = ?`, table, base), p, "q", c)
			}
			require.NoError(t, session.ExecuteBatch(b))
		}
	}
	return ts
}

// at is the WHERE of a row.
func at(p, c int) string { return fmt.Sprintf("p = %d AND q = 'q' AND c = %d", p, c) }
