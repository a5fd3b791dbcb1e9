package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/source"
)

func TestAnotherPartitionerIsRefusedBeforeReadingAndQueryStillWorks(t *testing.T) {
	other, err := cassandra.Start(t.Context(), cassandra.Setting("partitioner", "org.apache.cassandra.dht.RandomPartitioner"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Stop()) })
	session, ks := cassandra.Keyspace(t, other)
	exec(t, session, "CREATE TABLE %s.t (pk int PRIMARY KEY, v int)", ks)
	exec(t, session, "INSERT INTO %s.t (pk, v) VALUES (1, 2)", ks)

	_, err = source.Table[rxcql.Row](session, ks+".t").Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "RandomPartitioner")
	require.ErrorContains(t, err, "use Query")

	n, err := source.Query[rxcql.Row](session, "SELECT * FROM "+ks+".t").Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
