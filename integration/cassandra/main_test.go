//go:build unix

package cassandra_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/relay"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	// The tests of dying programs start this binary again.
	if play := os.Getenv("RXCQL_TEST_CHILD"); play != "" {
		os.Exit(playChild(play))
	}
	cassandra.Main(m, &cluster)
}

func start(c *cassandra.Cluster, err error) func(context.Context, ...cassandra.Option) (*cassandra.Cluster, error) {
	return func(context.Context, ...cassandra.Option) (*cassandra.Cluster, error) { return c, err }
}

func TestMainFailsWithTheReasonWhenNoCassandraCanBeHad(t *testing.T) {
	var out bytes.Buffer
	var got *cassandra.Cluster
	code := cassandra.RunTests(func() int { t.Error("the tests ran"); return 0 }, &got, &out, nil,
		start(nil, errors.New("install a JDK 17")))
	require.Equal(t, 1, code)
	require.Contains(t, out.String(), "install a JDK 17")
	require.Nil(t, got)
}

func TestMainGivesTheTestsTheirClusterAndTheirCodeBack(t *testing.T) {
	var out bytes.Buffer
	var got *cassandra.Cluster
	stopped := 0
	c := cassandra.NewTestCluster(func() error { stopped++; return nil })
	code := cassandra.RunTests(func() int { require.Same(t, c, got); return 3 }, &got, &out, nil, start(c, nil))
	require.Equal(t, 3, code)
	require.Equal(t, 1, stopped)
	require.Empty(t, out.String())
}

func TestMainFailsWhenTheClusterDoesNotStop(t *testing.T) {
	var out bytes.Buffer
	var got *cassandra.Cluster
	c := cassandra.NewTestCluster(func() error { return errors.New("still there") })
	require.Equal(t, 1, cassandra.RunTests(func() int { return 0 }, &got, &out, nil, start(c, nil)))
	require.Contains(t, out.String(), "still there")
}

func TestStopTwiceStopsOnceAndGivesTheSameError(t *testing.T) {
	stops := 0
	c := cassandra.NewTestCluster(func() error { stops++; return errors.New("once") })
	first := c.Stop()
	require.ErrorContains(t, first, "once")
	require.Equal(t, first, c.Stop())
	require.Equal(t, 1, stops)
}

// The driver tries again, and sleeps for seconds before it does, whether or not its session is
// closed.
func TestMainWaitsForADriverThatWasConnectingWhenItsSessionWasClosed(t *testing.T) {
	refused := make(chan struct{})
	refuse := sync.OnceFunc(func() { close(refused) })
	address := relay.Listen(t, "127.0.0.1", cluster.Hosts()[0], func(before int) bool {
		if before < 2 { // the control connection and the first of the pool
			return true
		}
		refuse()
		return false
	})
	var out bytes.Buffer
	var got *cassandra.Cluster
	c := cassandra.NewTestCluster(func() error { return nil })
	code := cassandra.RunTests(func() int {
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		config := gocql.NewCluster(host)
		config.Port, err = strconv.Atoi(port)
		require.NoError(t, err)
		config.DisableInitialHostLookup, config.NumConns, config.ProtoVersion = true, 2, 4
		session, err := config.CreateSession()
		require.NoError(t, err)
		<-refused
		session.Close()
		return 0
	}, &got, &out, []cassandra.Option{cassandra.IgnoreLeaks(goleak.IgnoreCurrent())}, start(c, nil))
	require.Zero(t, code, out.String())
}
