// Package secure_test holds a server that wants TLS, a certificate of the client
// and a password against the toolkit: who is let in, what refusals say, and what is never said.
package secure_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/relay"
)

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	// The driver leaves these behind when a session could not be made.
	cassandra.Main(m, &cluster, cassandra.WithPassword(), cassandra.WithTLS(), cassandra.WithClientCertificates(), cassandra.Setting("dynamic_data_masking_enabled", "true"), cassandra.IgnoreLeaks(
		goleak.IgnoreTopFunction("github.com/gocql/gocql.(*refreshDebouncer).flusher"),
		goleak.IgnoreTopFunction("github.com/gocql/gocql.(*eventDebouncer).flusher"),
	))
}

// config is how a user would write it down, with what is usual left out.
func config(t *testing.T) *gocql.ClusterConfig {
	t.Helper()
	c := gocql.NewCluster(cluster.Hosts()[0])
	user, password := cluster.Login()
	c.Authenticator = gocql.PasswordAuthenticator{Username: user, Password: password}
	cert, key := cluster.ClientCertificate()
	c.SslOpts = &gocql.SslOptions{CaPath: cluster.CAFile(), CertPath: cert, KeyPath: key}
	c.DisableInitialHostLookup = true
	c.Logger = silent{}
	return c
}

// session opens a session as the user of config, or another one.
func session(t *testing.T, change func(*gocql.ClusterConfig)) (*gocql.Session, error) {
	t.Helper()
	c := config(t)
	change(c)
	require.NoError(t, rxcql.Configure(c, ""))
	s, err := c.CreateSession()
	if err == nil {
		t.Cleanup(s.Close)
	}
	return s, err
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// elsewhere is the server under an address that its certificate does not name.
func elsewhere(t *testing.T) (address string) {
	t.Helper()
	return relay.Listen(t, "127.9.9.9", cluster.Hosts()[0], nil)
}

func port(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
