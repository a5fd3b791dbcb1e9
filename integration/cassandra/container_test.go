//go:build unix

package cassandra_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// Where an engine answers with an image this runs the whole container way; where
// none does it holds the refusal to what it promises.
func TestAContainerIsStartedAskedAndRemovedOrItsLackIsNamed(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*cassandra.PullTimeout)
	defer cancel()
	t.Setenv("CASSANDRA_HOSTS", "")
	t.Setenv("RXCQL_CASSANDRA", "container")
	if os.Getenv("RXCQL_BUILD_IMAGE") != "" {
		buildImage(ctx, t)
		t.Setenv("RXCQL_CASSANDRA_IMAGE", builtImage)
	}
	_, missing := cassandra.ImageInEngine(ctx)
	c, err := cassandra.Start(ctx, cassandra.Log(os.Stderr))
	if missing != nil {
		require.ErrorContains(t, err, "RXCQL_CASSANDRA is container, but")
		require.ErrorContains(t, err, "container engine")
		return
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop()) })
	require.Equal(t, cassandra.WayContainer, c.Way())
	require.Empty(t, c.Nodes())
	require.Len(t, c.Hosts(), 1)
	requireAnswers(t, c)
	require.NotEmpty(t, c.Datacenter())
	t.Run("keyspace", func(t *testing.T) {
		session, _ := cassandra.Keyspace(t, c)
		require.NoError(t, session.Query("CREATE TABLE t (k int PRIMARY KEY)").Exec())
		require.NoError(t, session.Query("INSERT INTO t (k) VALUES (1)").Exec())
	})
	require.NoError(t, c.Stop())
	_, err = c.Config().CreateSession()
	require.Error(t, err)
}
