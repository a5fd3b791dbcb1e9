//go:build unix

package cassandra_test

import (
	"context"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestThreeNodesFormOneClusterThatBearsTheLossOfOne(t *testing.T) {
	began := time.Now()
	c := startProcess(t, cassandra.Nodes(3), cassandra.Restarts())
	t.Logf("three nodes after %.1f s", time.Since(began).Seconds())
	require.Len(t, c.Hosts(), 3)
	require.Len(t, c.Nodes(), 3)
	session, _ := cassandra.Keyspace(t, c, cassandra.Replicas(3), cassandra.Configure(func(cfg *gocql.ClusterConfig) {
		cfg.Logger = quiet{}
		cfg.RetryPolicy = &gocql.SimpleRetryPolicy{NumRetries: 3}
	}))
	require.NoError(t, session.Query("CREATE TABLE t (k int PRIMARY KEY)").Exec())
	write := func(k int, level gocql.Consistency) error {
		return session.Query("INSERT INTO t (k) VALUES (?)", k).Consistency(level).Idempotent(true).Exec()
	}
	require.NoError(t, write(0, gocql.All))
	require.NoError(t, c.Nodes()[2].Kill())
	for k := 1; k <= 20; k++ {
		require.NoError(t, write(k, gocql.Quorum))
	}
	require.NoError(t, c.Nodes()[2].Restart(context.Background()))
	require.Eventually(t, func() bool { return write(21, gocql.All) == nil }, 10*time.Minute, 200*time.Millisecond)
}
