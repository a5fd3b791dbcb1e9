//go:build unix

// Package nodes_test copies a table while nodes of the cluster come and go.
package nodes_test

import (
	"testing"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	// With the default, periodic, a node that is killed loses what it has confirmed
	// in the last moments, and all nodes that are killed at once lose it for good.
	synced := []cassandra.Option{cassandra.Setting("commitlog_sync", "batch"), cassandra.Setting("commitlog_sync_period", "0ms")}
	cassandra.Main(m, &cluster, append(synced, cassandra.Nodes(3), cassandra.Restarts())...)
}
