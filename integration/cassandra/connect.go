package cassandra

import (
	"testing"
	"time"

	"github.com/gocql/gocql"
)

// Connect makes a session that ends with the test. It is for sessions that wait less for an
// answer than a busy machine may need: where making one fails it tries again, for patience at
// most. Each try needs a configuration of its own, see Cluster.Config.
func Connect(t testing.TB, config func() *gocql.ClusterConfig) *gocql.Session {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		session, err := config().CreateSession()
		if err == nil {
			t.Cleanup(session.Close)
			return session
		}
		if time.Since(begin) > patience {
			t.Fatalf("cassandra: a session: %v", err)
		}
	}
}
