// Package docs_test runs, on a real Cassandra, the code that README.md and the pages of docs
// show. A test in docs compares the two.
package docs_test

import (
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }

// weather makes the keyspace of the pages, with what the statements make there, for one
// test, which gets a folder of its own too.
func weather(t *testing.T, statements ...string) *gocql.Session {
	t.Helper()
	t.Chdir(t.TempDir())
	session, _ := cassandra.Keyspace(t, cluster)
	cql(t, session, "CREATE KEYSPACE weather WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	t.Cleanup(func() { cql(t, session, "DROP KEYSPACE weather") })
	cql(t, session, statements...)
	return session
}

func cql(t *testing.T, session *gocql.Session, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		require.NoError(t, session.Query(statement).Exec(), statement)
	}
}

// columns is one column of all rows that a statement gives.
func column[T any](t *testing.T, session *gocql.Session, statement string) (all []T) {
	t.Helper()
	rows := session.Query(statement).Iter()
	for {
		var v T
		if !rows.Scan(&v) {
			break
		}
		all = append(all, v)
	}
	require.NoError(t, rows.Close(), statement)
	return all
}
