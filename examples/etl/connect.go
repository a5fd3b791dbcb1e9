package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
)

// server is a Cassandra with a session, and the way to be rid of both.
type server struct {
	session *gocql.Session
	about   serverInfo
	stop    func() error
}

// serverInfo is what the report says about it.
type serverInfo struct {
	Hosts      []string `json:"hosts"`
	Datacenter string   `json:"datacenter"`
	Version    string   `json:"version"`
	Started    bool     `json:"started"` // by this program, which removes it at the end
}

// close closes the session and removes what was started. If ctx has been
// cancelled the session is left to the end of the program: gocql's Close waits
// for its heartbeat, which a server that does not answer holds up for the whole
// timeout of a request.
func (s *server) close(ctx context.Context) error {
	if s.session != nil && ctx.Err() == nil {
		s.session.Close()
	}
	return s.stop()
}

// connect reaches the servers that are named, or starts one.
func connect(ctx context.Context, opts options, out *screen) (*server, error) {
	if len(opts.hosts) > 0 {
		return reach(ctx, opts)
	}
	started := os.Getenv("CASSANDRA_HOSTS") == ""
	if started {
		out.printf("Cassandra   starting one, since --hosts names none (5 s; the first time minutes, to download it)\n")
	}
	began := time.Now()
	cluster, err := cassandra.Start(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{about: serverInfo{Hosts: cluster.Hosts(), Datacenter: cluster.Datacenter(), Started: started}, stop: cluster.Stop}
	if err := s.open(ctx, cluster.Config(), opts); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	if started {
		out.printf("Cassandra   %s answers at %s after %.1f s\n", s.about.Version, strings.Join(s.about.Hosts, ", "),
			time.Since(began).Seconds())
	}
	return s, nil
}

// reach opens a session with the servers of --hosts.
func reach(ctx context.Context, opts options) (*server, error) {
	cfg := gocql.NewCluster(opts.hosts...)
	if _, port, err := net.SplitHostPort(opts.hosts[0]); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("--hosts %s: the port is not a number", opts.hosts[0])
		}
		cfg.Port = n // of the servers that these tell about, too
	}
	if opts.user != "" {
		cfg.Authenticator = gocql.PasswordAuthenticator{Username: opts.user, Password: opts.password}
	}
	if opts.tls {
		cfg.SslOpts = &gocql.SslOptions{CaPath: opts.ca, CertPath: opts.cert, KeyPath: opts.key}
	}
	s := &server{about: serverInfo{Hosts: opts.hosts}, stop: func() error { return nil }}
	if err := s.open(ctx, cfg, opts); err != nil {
		return nil, fmt.Errorf("--hosts %s: %w", strings.Join(opts.hosts, ","), err)
	}
	return s, nil
}

// open makes the session. The local datacenter is that of the first server
// unless --dc names one.
func (s *server) open(ctx context.Context, cfg *gocql.ClusterConfig, opts options) error {
	cfg.Logger = silent{}
	if opts.consistency != nil {
		cfg.Consistency = *opts.consistency
	}
	if err := rxcql.Configure(cfg, opts.dc); err != nil {
		return err
	}
	session, err := cfg.CreateSession()
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx) // the driver knows nothing of it
	case err != nil:
		return fmt.Errorf("no session: %w", err)
	}
	s.session = session
	err = session.Query("SELECT data_center, release_version FROM system.local").WithContext(ctx).
		Consistency(gocql.One).Scan(&s.about.Datacenter, &s.about.Version)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err == nil && opts.dc != "":
		s.about.Datacenter = opts.dc
	}
	if err != nil {
		session.Close()
		s.session = nil
	}
	return err
}

// silent keeps the driver from writing to the screen; what goes wrong comes back
// as an error.
type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
