package transfer_test

import (
	"testing"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	cassandra.Main(m, &cluster, cassandra.Setting("materialized_views_enabled", "true"))
}
