// Package kill_test kills processes that work on jobs, and looks at what the last
// of them leaves.
package kill_test

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
	cassandra.Main(m, &cluster)
}
