// Package times_test copies rows with their write times and expiries on a real Cassandra, and reads
// them again by plain CQL.
package times_test

import (
	"testing"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	cassandra.Main(m, &cluster, cassandra.Setting("materialized_views_enabled", "true"))
}
