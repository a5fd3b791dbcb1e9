//go:build unix

package nodes_test

import (
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
)

func TestAStatementIsDescribedAsTheSchemaIsNowByWhicheverNodeIsAsked(t *testing.T) {
	configure := cassandra.Configure(func(c *gocql.ClusterConfig) { require.NoError(t, rxcql.Configure(c, "")) })
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Replicas(3), configure)
	changing, _ := cassandra.Keyspace(t, cluster, configure)
	living, err := driver.Wrap(session)
	require.NoError(t, err)
	results := func(cql string) []string {
		var names []string
		d, err := living.Describe(t.Context(), cql)
		require.NoError(t, err)
		for _, column := range append(d.Results, d.Params...) {
			names = append(names, column.Name+" "+column.Type.String())
		}
		return names
	}
	change := func(cql string, args ...any) {
		t.Helper()
		require.NoError(t, changing.Query(fmt.Sprintf(cql, args...)).Exec())
	}
	change("CREATE TABLE %s.t (k int PRIMARY KEY)", ks)
	want := []string{"k int"}
	for i := range 12 {
		for range 7 { // more often than there are nodes, and connections
			require.Equal(t, want, results("SELECT * FROM "+ks+".t"))
		}
		change("ALTER TABLE %s.t ADD c%02d int", ks, i)
		want = append(want, fmt.Sprintf("c%02d int", i))
	}
	for _, typ := range []string{"text", "bigint", "blob"} {
		change("DROP TABLE %s.t", ks)
		change("CREATE TABLE %s.t (k %s PRIMARY KEY)", ks, typ)
		for range 7 {
			require.Equal(t, []string{"k " + typ, "k " + typ}, results("SELECT k FROM "+ks+".t WHERE k = ?"))
		}
	}
}
