package cassandra

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gocql/gocql"
)

// KeyspaceOption changes what [Keyspace] makes.
type KeyspaceOption func(*keyspaceSettings)

type keyspaceSettings struct {
	replicas  int
	configure func(*gocql.ClusterConfig)
}

// Replicas sets the replication factor, by default 1.
func Replicas(n int) KeyspaceOption { return func(k *keyspaceSettings) { k.replicas = n } }

// Configure changes the driver configuration of the session before it is made.
func Configure(fn func(*gocql.ClusterConfig)) KeyspaceOption {
	return func(k *keyspaceSettings) { k.configure = fn }
}

// Keyspace makes an empty keyspace with a name of its own for a test (SimpleStrategy,
// one replica) and a session in it. The session ends with the test. So does the keyspace on servers
// that CASSANDRA_HOSTS names; on a server that goes after the tests it stays, since dropping it
// takes longer than most tests. Whatever fails, fails the test at once.
func Keyspace(t testing.TB, c *Cluster, opts ...KeyspaceOption) (*gocql.Session, string) {
	t.Helper()
	k := keyspaceSettings{replicas: 1, configure: func(*gocql.ClusterConfig) {}}
	for _, opt := range opts {
		opt(&k)
	}
	admin, err := c.adminSession()
	if err != nil {
		t.Fatalf("cassandra: a session to make a keyspace: %v", err)
	}
	name := keyspaceName(t.Name(), rand.Uint32())
	if err := admin.Query(fmt.Sprintf("CREATE KEYSPACE %s WITH replication = {'class': 'SimpleStrategy', "+
		"'replication_factor': %d}", name, k.replicas)).Exec(); err != nil {
		t.Fatalf("cassandra: make keyspace %s: %v", name, err)
	}
	t.Cleanup(func() {
		if c.way != WayHosts {
			return
		}
		if err := admin.Query("DROP KEYSPACE IF EXISTS " + name).Exec(); err != nil {
			t.Errorf("cassandra: keyspace %s stays behind: %v", name, err)
		}
	})
	cfg := c.Config()
	cfg.Keyspace = name
	k.configure(cfg)
	session, err := cfg.CreateSession()
	if err != nil {
		t.Fatalf("cassandra: a session in keyspace %s: %v", name, err)
	}
	t.Cleanup(session.Close)
	return session, name
}

// keyspaceName makes a name that CQL takes without quotes, of 48 characters at most.
func keyspaceName(test string, unique uint32) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(test))
	return fmt.Sprintf("t_%s_%08x", name[:min(len(name), 36)], unique)
}

// adminSession is the one session that makes and drops keyspaces.
func (c *Cluster) adminSession() (*gocql.Session, error) {
	c.adminMu.Lock()
	defer c.adminMu.Unlock()
	if c.admin == nil {
		cfg := c.Config()
		cfg.NumConns = 1
		session, err := cfg.CreateSession()
		if err != nil {
			return nil, err
		}
		c.admin = session
	}
	return c.admin, nil
}
