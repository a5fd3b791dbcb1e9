//go:build unix

package cassandra_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestHostsAreReadWithAndWithoutPorts(t *testing.T) {
	for list, want := range map[string][]string{
		"a":                    {"a:9042"},
		"a, b:1234,":           {"a:9042", "b:1234"},
		"10.0.0.1,10.0.0.2:1":  {"10.0.0.1:9042", "10.0.0.2:1"},
		"::1,[::1]:7,[fe80::]": {"[::1]:9042", "[::1]:7", "[fe80::]:9042"},
	} {
		got, err := cassandra.ParseHosts(list)
		require.NoError(t, err, list)
		require.Equal(t, want, got)
	}
	for _, list := range []string{" , ", ":9042", "a:", "a:b:c"} {
		_, err := cassandra.ParseHosts(list)
		require.ErrorContains(t, err, "CASSANDRA_HOSTS", list)
	}
}

func TestServersThatRunAreUsedAndLeftRunning(t *testing.T) {
	t.Setenv("RXCQL_CASSANDRA", "")
	t.Setenv("CASSANDRA_HOSTS", "127.255.255.1:9,"+strings.Join(cluster.Hosts(), ","))
	c, err := cassandra.Start(context.Background())
	require.NoError(t, err)
	require.Equal(t, cassandra.WayHosts, c.Way())
	require.Equal(t, cluster.Datacenter(), c.Datacenter())
	require.Empty(t, c.Nodes())
	t.Run("keyspace", func(t *testing.T) {
		session, name := cassandra.Keyspace(t, c)
		require.NoError(t, session.Query("CREATE TABLE t (k int PRIMARY KEY)").Exec())
		require.Contains(t, name, "t_testserversthatrun")
	})
	require.NoError(t, c.Stop())
	requireAnswers(t, cluster)
}

func TestServersThatDoNotAnswerAreAnErrorAndNothingElseIsTried(t *testing.T) {
	t.Setenv("RXCQL_CASSANDRA", "")
	t.Setenv("CASSANDRA_HOSTS", "127.255.255.1:9")
	_, err := cassandra.Start(context.Background())
	require.ErrorContains(t, err, "no server in it answers CQL")
	require.ErrorContains(t, err, "127.255.255.1:9")
	require.ErrorContains(t, err, "unset CASSANDRA_HOSTS")
}
