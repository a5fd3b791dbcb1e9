package cassandra

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gocql/gocql"
)

// Way is how a Cassandra was found or started.
type Way string

// The three ways, in the order in which they are tried.
const (
	WayHosts     Way = "hosts"
	WayContainer Way = "container"
	WayProcess   Way = "process"
)

// Cluster is a Cassandra that answers. Its methods are safe for concurrent use.
type Cluster struct {
	way        Way
	hosts      []string // host:port
	datacenter string
	username   string // empty without a login
	password   string
	caFile     string // empty without TLS
	clientCert string // the files of a client's certificate and its key; empty if none is wanted
	clientKey  string
	// translate makes the address that a container gives out one that is reached
	// from here; nil in the other ways.
	translate gocql.AddressTranslator
	nodes     []*Node
	end       func() error // stops what Start started

	stopOnce sync.Once
	stopErr  error

	adminMu sync.Mutex
	admin   *gocql.Session // made by the first Keyspace, closed by Stop
}

// Start returns a Cassandra that answers CQL; see the package comment for the ways to one. It takes
// about 5 s for one node and 20 s for three, and up to some minutes the first time, when an image
// or the jars are downloaded.
//
// An error lists each way that was tried, why it did not work, and the remedy. If the server was
// started but did not come up, the error has the last lines of its log. ctx bounds the start only:
// cancelling it later stops nothing. Call [Cluster.Stop] at the end.
func Start(ctx context.Context, opts ...Option) (*Cluster, error) {
	s, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	return systemChooser(s).start(ctx)
}

// Way returns how this Cassandra was found or started.
func (c *Cluster) Way() Way { return c.way }

// Hosts gives the contact points as host:port.
func (c *Cluster) Hosts() []string { return slices.Clone(c.hosts) }

// Datacenter is the name of the local datacenter.
func (c *Cluster) Datacenter() string { return c.datacenter }

// CAFile is the PEM file with the certificate to verify the servers with; it is
// empty unless the cluster speaks TLS.
func (c *Cluster) CAFile() string { return c.caFile }

// ClientCertificate gives the PEM files of a certificate that the servers accept from a client, and
// of its key. They are empty without WithClientCertificates.
func (c *Cluster) ClientCertificate() (cert, key string) { return c.clientCert, c.clientKey }

// Login is the user name and password: the superuser's with WithPassword, those of
// CASSANDRA_USERNAME and CASSANDRA_PASSWORD with CASSANDRA_HOSTS; else empty.
func (c *Cluster) Login() (username, password string) { return c.username, c.password }

// Nodes gives the processes of the process way, to be paused and killed by tests
// of faults. It is empty in the other ways, where nothing here owns the servers.
func (c *Cluster) Nodes() []*Node { return slices.Clone(c.nodes) }

// patience is how long a request, a connection and agreement on a schema may take. It is
// there to end a hang, and not to be met.
const patience = 5 * time.Minute

// Config gives a driver configuration that works as it is: contact points, port,
// protocol 4, the local datacenter, login and TLS if the cluster has them, and
// timeouts of five minutes, since a loaded test machine is slow without being broken. For a
// container it translates the server's address to the mapped port, so the driver's
// look-up of hosts stays on and with it token awareness. The retry policy stays the
// driver's default, which is none.
//
// Each call makes a new configuration. The host selection policy inside belongs to
// one session, so ask for another configuration for each session.
func (c *Cluster) Config() *gocql.ClusterConfig {
	cfg := gocql.NewCluster(c.hosts...)
	cfg.ProtoVersion = 4
	cfg.Timeout = patience
	cfg.ConnectTimeout = patience
	cfg.MaxWaitSchemaAgreement = patience // the driver goes on after it as if the nodes agreed
	// A node that is killed and restarted should be found again within a test.
	cfg.ReconnectInterval = time.Second
	if _, port, err := net.SplitHostPort(c.hosts[0]); err == nil {
		if n, err := strconv.Atoi(port); err == nil {
			cfg.Port = n
		}
	}
	cfg.AddressTranslator = c.translate
	if c.datacenter != "" {
		cfg.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.DCAwareRoundRobinPolicy(c.datacenter))
	}
	if c.username != "" {
		cfg.Authenticator = gocql.PasswordAuthenticator{Username: c.username, Password: c.password}
	}
	if c.caFile != "" {
		// The driver verifies nothing if Config is nil.
		cfg.SslOpts = &gocql.SslOptions{
			Config:                 &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: caPool(c.caFile)},
			CaPath:                 c.caFile,
			CertPath:               c.clientCert,
			KeyPath:                c.clientKey,
			EnableHostVerification: true,
		}
	}
	return cfg
}

// caPool reads a CA file; an unreadable one gives an empty pool, which no server
// passes, and the driver reads the path again and tells the reason.
func caPool(path string) *x509.CertPool {
	pool := x509.NewCertPool()
	if pem, err := os.ReadFile(path); err == nil {
		pool.AppendCertsFromPEM(pem)
	}
	return pool
}

// Stop ends what Start started and waits for it: processes are killed and their
// data removed, a container is removed, and a server named by CASSANDRA_HOSTS is
// left as it is. Calling it again does nothing and gives the same error.
func (c *Cluster) Stop() error {
	c.stopOnce.Do(func() {
		c.adminMu.Lock()
		defer c.adminMu.Unlock()
		if c.admin != nil {
			c.admin.Close()
			c.admin = nil
		}
		if c.end != nil {
			if err := c.end(); err != nil {
				c.stopErr = fmt.Errorf("cassandra: stop: %w", err)
			}
		}
	})
	return c.stopErr
}
