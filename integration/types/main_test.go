// Package types_test proves that every CQL type of Cassandra 5.0 goes in and
// out unchanged, equal byte for byte, raw and typed.
package types_test

import (
	"testing"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }
