package checkpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/gocql/gocql"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
)

// proxied returns a session that reaches the cluster through a proxy only, and
// waits 2 s for an answer.
func proxied(t *testing.T) (*gocql.Session, *toxiproxy.Proxy) {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "cassandra", "127.0.0.1:0", cluster.Hosts()[0])
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return cassandra.Connect(t, func() *gocql.ClusterConfig {
		config := cluster.Config()
		config.Hosts = []string{proxy.Listen}
		config.DisableInitialHostLookup = true
		deaf(config)
		config.NumConns = 1
		config.Logger = silent{}
		config.Timeout = 2 * time.Second
		config.ConnectTimeout = 5 * time.Second
		return config
	}), proxy
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func TestAHolderThatIsCutOffLosesTheJobBeforeAnotherCanHaveIt(t *testing.T) {
	direct, table := newTable(t)
	session, proxy := proxied(t)
	c := lock(t, session, table, "job", checkpoint.Lease(shortLease))
	require.NoError(t, save(t, c, "old"))
	time.Sleep(2 * time.Second)
	proxy.Stop()
	lost := make(chan time.Time, 1)
	timer := time.AfterFunc(0, func() { <-c.Lost(); lost <- time.Now() })
	defer timer.Stop()
	successor, took := takeOver(t, checkpoint.Table(direct, table))
	taken := time.Now()
	require.Less(t, <-lost, taken, "the first must know before the second begins")
	t.Logf("free after %v", took)
	require.NoError(t, save(t, successor, "new"))
	require.ErrorIs(t, save(t, c, "late"), rxcql.ErrCheckpointLost)
	require.Equal(t, "new", load(t, successor))
}

func TestASaveWhoseAnswerIsLostOnTheWayIsFoundOut(t *testing.T) {
	direct, table := newTable(t)
	for _, way := range []string{"downstream", "upstream"} {
		session, proxy := proxied(t)
		c := lock(t, session, table, way, checkpoint.Lease(time.Minute))
		require.NoError(t, save(t, c, "old"))
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(
			`{"name":"mute","type":"timeout","stream":"` + way + `","attributes":{"timeout":0}}`))
		require.NoError(t, err)
		timer := time.AfterFunc(1500*time.Millisecond, func() { _ = proxy.Toxics.RemoveToxic(t.Context(), "mute") })
		defer timer.Stop()
		require.NoError(t, save(t, c, "new"), way)
		require.NoError(t, save(t, c, "newer"), way)
		require.Equal(t, "newer", load(t, c), way)
		refused(t, direct, table, way)
		require.NoError(t, c.Unlock())
	}
}
