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

// weather is the keyspace that the pages call so: each test has one of its own, so that two
// runs on one server, or a weather that is there already, are not in each other's way. The
// test that compares the pages with this code reads weather+".readings" as "weather.readings".
var weather string

// newKeyspace makes the keyspace of one test, with what the statements make there, and a
// session in it. The test gets a folder of its own too.
func newKeyspace(t *testing.T, statements ...string) (session *gocql.Session) {
	t.Helper()
	t.Chdir(t.TempDir())
	session, weather = cassandra.Keyspace(t, cluster)
	cql(t, session, statements...)
	return session
}

func cql(t *testing.T, session *gocql.Session, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		require.NoError(t, session.Query(statement).Exec(), statement)
	}
}

// column is one column of all rows that a statement gives.
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
