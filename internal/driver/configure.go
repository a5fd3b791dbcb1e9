package driver

import (
	"errors"
	"time"

	"github.com/gocql/gocql"
)

// protocol is the version that Cassandra 2.2 to 5 and ScyllaDB all speak, and
// the first with unset values. gocql's version 5 is unfinished.
const protocol = 4

// Timeouts and connections where the configuration has none.
const (
	// DefaultTimeout is above the server's own longest default, 10 s for range
	// reads: an answer that says what went wrong is worth the last second.
	DefaultTimeout = 11 * time.Second

	// DefaultConnectTimeout bounds each step of connecting to a node.
	DefaultConnectTimeout = 5 * time.Second

	// DefaultConnections a node: one reader decodes a connection's frames, so
	// one connection keeps one core busy; with two, a large page does not hold
	// up every other answer, and a lost connection leaves one. More gain
	// nothing: each carries 32,768 requests at a time.
	DefaultConnections = 2
)

// ErrNoConfig says that a nil configuration was to be configured.
var ErrNoConfig = errors.New("no configuration: the *gocql.ClusterConfig is nil")

// Configure sets in c what suits this package, before CreateSession:
//
//   - the driver's retries off and nothing idempotent by default, since
//     repeating is decided here;
//   - protocol 4;
//   - requests sent to a replica of their partition, in the local datacenter
//     if its name is given, unless c has a host policy already. A name that no
//     node's datacenter has is found at the first request: DatacenterError;
//   - with TLS (SslOpts without a Config of its own), the host verified: gocql
//     does not do so unless told;
//   - timeouts and connections a node, where c has none.
//
// Consistency, page size, credentials and everything else stay as they are.
// A host policy belongs to one session, so c must not be used for a second one
// unless it is given a new policy.
func Configure(c *gocql.ClusterConfig, localDC string) error {
	if c == nil {
		return ErrNoConfig
	}
	c.RetryPolicy = nil
	c.DefaultIdempotence = false
	c.ProtoVersion = protocol
	if c.PoolConfig.HostSelectionPolicy == nil {
		if localDC != "" {
			c.PoolConfig.HostSelectionPolicy = inDatacenter(localDC)
		} else {
			c.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
		}
	}
	if c.SslOpts != nil && c.SslOpts.Config == nil {
		verified := *c.SslOpts // the caller's own may serve other configurations
		verified.EnableHostVerification = true
		c.SslOpts = &verified
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	if c.NumConns <= 0 {
		c.NumConns = DefaultConnections
	}
	return nil
}
