package checkpoint_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	if table := os.Getenv(helperEnv); table != "" {
		if err := holder(table); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// The tests wait for leases more than they work, so more at once do no harm.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	// A toxiproxy link that was cut leaves its copying goroutines behind; they
	// are its own and hold nothing of ours.
	cassandra.Main(m, &cluster, cassandra.IgnoreLeaks(
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
	))
}

// newTable makes a table for checkpoints in a keyspace of the test's own. Most
// tests wait for leases of seconds, so they do it side by side.
func newTable(t *testing.T) (*gocql.Session, string) {
	t.Helper()
	t.Parallel()
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(deaf))
	require.NoError(t, checkpoint.CreateTable(t.Context(), session, ks+".jobs"))
	return session, ks + ".jobs"
}

// deaf makes a session that does not hear of the keyspaces of other tests:
// one that is closed just then waits for a minute until all servers agree.
func deaf(c *gocql.ClusterConfig) { c.Events.DisableSchemaEvents = true }

// lock locks a job with a lease of 3 s unless others are given; it must be free.
func lock(t *testing.T, session *gocql.Session, table, job string, opts ...checkpoint.TableOption) rxcql.Checkpoint {
	t.Helper()
	// A busy machine may not get round to a renewal for seconds.
	opts = append([]checkpoint.TableOption{checkpoint.Lease(5 * time.Minute)}, opts...)
	c, err := checkpoint.Table(session, table, opts...).Lock(t.Context(), job)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Unlock() }) // tests that end it look at the error themselves
	return c
}

func refused(t *testing.T, session *gocql.Session, table, job string) {
	t.Helper()
	_, err := checkpoint.Table(session, table).Lock(t.Context(), job)
	require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
	require.ErrorContains(t, err, "checkpoint.Table "+table+`: job "`+job+`": lock: `)
}

func load(t *testing.T, c rxcql.Checkpoint) string {
	t.Helper()
	data, err := c.Load(t.Context())
	require.NoError(t, err)
	return string(data)
}

func save(t *testing.T, c rxcql.Checkpoint, data string) error {
	return c.Save(t.Context(), []byte(data))
}

func isLost(c rxcql.Checkpoint) bool {
	select {
	case <-c.Lost():
		return true
	default:
		return false
	}
}
