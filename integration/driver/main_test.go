// Package driver_test holds internal/driver, internal/schema and internal/ring
// against a real Cassandra.
package driver_test

import (
	"flag"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
)

var (
	cluster *cassandra.Cluster
	nodes   = flag.Int("nodes", 1, "nodes of the cluster; 3 is what shows how the ring is read")
)

func TestMain(m *testing.M) {
	flag.Parse()
	cassandra.Main(m, &cluster, cassandra.Nodes(*nodes), cassandra.Setting("materialized_views_enabled", "true"))
}

// open gives a fresh keyspace, a plain session in it and the same one wrapped.
func open(t *testing.T) (*gocql.Session, *driver.Session, string) {
	t.Helper()
	session, keyspace := cassandra.Keyspace(t, cluster, cassandra.Configure(func(c *gocql.ClusterConfig) {
		require.NoError(t, driver.Configure(c, cluster.Datacenter()))
	}))
	wrapped, err := driver.Wrap(session)
	require.NoError(t, err)
	return session, wrapped, keyspace
}

func run(t *testing.T, session *gocql.Session, statements ...string) {
	t.Helper()
	for _, cql := range statements {
		require.NoError(t, session.Query(cql).Exec(), cql)
	}
}
