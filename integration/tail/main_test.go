// Package tail_test tails tables of a real Cassandra, also in processes that are killed.
package tail_test

import (
	"os"
	"testing"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	if os.Getenv(windowsEnv) != "" {
		os.Exit(windowsChild())
	}
	if os.Getenv(fullEnv) != "" {
		os.Exit(fullChild())
	}
	cassandra.Main(m, &cluster)
}
