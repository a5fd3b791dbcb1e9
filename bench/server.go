package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
)

// server is the one Cassandra of a run, and a keyspace in it.
type server struct {
	cluster  *cassandra.Cluster
	session  *gocql.Session
	keyspace string
	version  string
	others   []string         // keyspaces that figures have made for themselves
	loaded   map[string]tally // tables that are there already
}

func startServer(ctx context.Context, heapMB int) (_ *server, err error) {
	cluster, err := cassandra.Start(ctx, cassandra.Production(), cassandra.Heap(heapMB), cassandra.Log(os.Stderr))
	if err != nil {
		return nil, err
	}
	s := &server{cluster: cluster, keyspace: fmt.Sprintf("rxcql_bench_%08x", rand.Uint32()), loaded: map[string]tally{}}
	defer func() { //nolint:contextcheck // as in main
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if s.session, err = cluster.Config().CreateSession(); err != nil {
		return nil, err
	}
	if err := s.session.Query("SELECT release_version FROM system.local").WithContext(ctx).Scan(&s.version); err != nil {
		return nil, err
	}
	return s, s.exec(ctx, "CREATE KEYSPACE "+s.keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
}

func (s *server) exec(ctx context.Context, cql string) error {
	return s.session.Query(cql).WithContext(ctx).Exec()
}

// stop leaves a server that was there before as it was.
func (s *server) stop() error {
	var dropped error
	if s.session != nil {
		if s.cluster.Way() == cassandra.WayHosts {
			for _, keyspace := range append(s.others, s.keyspace) {
				dropped = errors.Join(dropped, s.exec(context.Background(), "DROP KEYSPACE IF EXISTS "+keyspace))
			}
		}
		s.session.Close()
	}
	return errors.Join(dropped, s.cluster.Stop())
}

// env tells a child process where the server is.
func (s *server) env() []string {
	env := []string{"RXCQL_CASSANDRA=hosts", "CASSANDRA_HOSTS=" + strings.Join(s.cluster.Hosts(), ",")}
	if user, password := s.cluster.Login(); user != "" {
		env = append(env, "CASSANDRA_USERNAME="+user, "CASSANDRA_PASSWORD="+password)
	}
	return env
}

// connect is how a child process gets its session: the same configuration for
// all contenders.
func connect(ctx context.Context) (*gocql.Session, error) {
	cluster, err := cassandra.Start(ctx)
	if err != nil {
		return nil, err
	}
	cfg := cluster.Config()
	if err := rxcql.Configure(cfg, cluster.Datacenter()); err != nil {
		return nil, err
	}
	return cfg.CreateSession()
}
