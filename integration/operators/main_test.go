// Package operators_test runs the operators that ask a server on a real Cassandra.
package operators_test

import (
	"testing"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }
