// Package faults_test proves what retries promise against a real Cassandra that
// fails on purpose: a proxy before it answers a share of the requests itself, cuts
// and delays connections, and applies writes that it says have timed out.
package faults_test

import (
	"flag"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

var seeds = flag.Int("faults.seeds", 20, "seeds of the tests that run many")

var cluster *cassandra.Cluster

func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }

// impatient is the timeout of sessions that are left without an answer at times;
// patient that of sessions which must not take a busy machine for that.
const (
	impatient = time.Second
	patient   = 5 * time.Minute
)

// through opens a session that reaches the cluster through the proxy only.
func through(t *testing.T, p *proxy, timeout time.Duration) *gocql.Session {
	t.Helper()
	host, port, err := net.SplitHostPort(p.address())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return cassandra.Connect(t, func() *gocql.ClusterConfig {
		config := cluster.Config()
		config.Hosts = []string{p.address()}
		config.Port = number
		config.DisableInitialHostLookup = true
		config.AddressTranslator = gocql.AddressTranslatorFunc(func(net.IP, int) (net.IP, int) { return net.ParseIP(host), number })
		config.Timeout = timeout
		config.Logger = silent{}
		return config
	})
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// exec runs a statement of a test's set-up.
func exec(t *testing.T, session *gocql.Session, cql string, args ...any) {
	t.Helper()
	require.NoError(t, session.Query(cql, args...).Exec())
}
