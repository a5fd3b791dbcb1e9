package cassandra

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gocql/gocql"
)

// startTimeout bounds the wait for a server that was started; on an idle machine
// it takes 5 s, and on a very busy one more than two minutes.
const startTimeout = 10 * time.Minute

// answers asks the server at host for a row, through a session of its own to this
// host alone, and gives the host's datacenter. cfg is changed on the way. With all
// it also reads at consistency ALL, which needs the coordinator to see the other
// nodes alive.
func answers(ctx context.Context, cfg *gocql.ClusterConfig, host string, all bool) (datacenter string, err error) {
	// A closed port is told much faster by a dial than by the driver.
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", host)
	if err != nil {
		return "", err
	}
	if err := conn.Close(); err != nil {
		return "", err
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return "", err
	}
	cfg.Timeout, cfg.ConnectTimeout = time.Minute, time.Minute // it is asked again
	cfg.Hosts = []string{host}
	cfg.NumConns = 1
	cfg.Logger = silent{}
	cfg.PoolConfig.HostSelectionPolicy = gocql.RoundRobinHostPolicy()
	if net.ParseIP(name) != nil {
		cfg.HostFilter = gocql.WhiteListHostFilter(name)
	}
	session, err := cfg.CreateSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	if err := session.Query("SELECT data_center FROM system.local").WithContext(ctx).
		Consistency(gocql.One).Scan(&datacenter); err != nil {
		return "", err
	}
	if !all {
		return datacenter, nil
	}
	// This table is replicated three times, so ALL of its replicas are all nodes.
	err = session.Query("SELECT parent_id FROM system_distributed.parent_repair_history WHERE parent_id = ?",
		gocql.TimeUUID()).WithContext(ctx).Consistency(gocql.All).Iter().Close()
	return datacenter, err
}

// waitUntil repeats check until it returns no error, ctx ends, or ended returns an error because
// waiting is no longer of use.
func waitUntil(ctx context.Context, ended func() error, check func() error) error {
	start := time.Now()
	for {
		err := check()
		if err == nil {
			return nil
		}
		if dead := ended(); dead != nil {
			return dead
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer to CQL after %.0f s (%w), the last try said: %w",
				time.Since(start).Seconds(), context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// silent keeps the driver's complaints about a server that is still starting out
// of the test's output.
type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
