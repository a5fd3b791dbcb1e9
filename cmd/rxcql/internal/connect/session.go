package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
)

// Server is what a report says of a side.
type Server struct {
	Hosts       []string `json:"hosts"`
	Datacenter  string   `json:"datacenter"`
	Version     string   `json:"version"`
	Consistency string   `json:"consistency"`
	Cluster     string   `json:"cluster"` // its name, which other clusters may have too
	Nodes       []string `json:"-"`       // the ids of its nodes, which tell clusters apart
}

// SameCluster reports whether two sides are one cluster, whatever the addresses say: they have a
// node in common.
func (s *Server) SameCluster(other *Server) bool {
	return slices.ContainsFunc(s.Nodes, func(id string) bool { return slices.Contains(other.Nodes, id) })
}

// Open connects to a side. The driver cannot cancel an attempt to connect, so after ctx has ended
// Open returns when the timeouts are over. Close the session yourself.
func (s *Side) Open(ctx context.Context) (*gocql.Session, Server, error) {
	about := Server{Hosts: s.Hosts, Consistency: s.Consistency.String()}
	cfg, err := s.config()
	if err != nil {
		return nil, about, fmt.Errorf("connection%s: %w", s.of(), err)
	}
	session, err := cfg.CreateSession()
	switch {
	case ctx.Err() != nil:
		if err == nil {
			session.Close()
		}
		return nil, about, context.Cause(ctx)
	case err != nil:
		return nil, about, s.failed(err)
	}
	err = about.read(ctx, session)
	if err != nil {
		session.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, about, s.failed(err)
	}
	if s.LocalDC != "" {
		about.Datacenter = s.LocalDC
	}
	return session, about, nil
}

// read asks a node what it is, and which nodes it knows.
func (s *Server) read(ctx context.Context, session *gocql.Session) error {
	var id gocql.UUID
	err := session.Query("SELECT data_center, release_version, cluster_name, host_id FROM system.local").WithContext(ctx).
		Consistency(gocql.One).Scan(&s.Datacenter, &s.Version, &s.Cluster, &id)
	if err != nil {
		return err
	}
	s.Nodes = node(s.Nodes, id)
	peers := session.Query("SELECT host_id FROM system.peers").WithContext(ctx).Consistency(gocql.One).Iter()
	for peers.Scan(&id) {
		s.Nodes = node(s.Nodes, id)
	}
	return peers.Close()
}

// node adds the id of a node. A row of a node that has gone may have none, which is no id of two
// clusters.
func node(all []string, id gocql.UUID) []string {
	if id == (gocql.UUID{}) {
		return all
	}
	return append(all, id.String())
}

func (s *Side) config() (*gocql.ClusterConfig, error) {
	cfg := gocql.NewCluster(s.Hosts...)
	cfg.Port = s.Port
	cfg.Consistency = s.Consistency
	cfg.Timeout, cfg.ConnectTimeout = s.Timeout, s.Connect
	cfg.Logger = silent{}
	if s.User != "" {
		cfg.Authenticator = gocql.PasswordAuthenticator{Username: s.User, Password: s.password}
	}
	if s.TLS != nil {
		cfg.SslOpts = &gocql.SslOptions{Config: s.TLS.config, EnableHostVerification: s.TLS.Verify == VerifyFull}
	}
	return cfg, rxcql.Configure(cfg, s.LocalDC)
}

// failed says which side could not be reached, and what to look at.
func (s *Side) failed(err error) error {
	remedy := fmt.Sprintf("are these the hosts (%s), and does one of them answer?", s.from)
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case strings.Contains(text, "authentication") || strings.Contains(text, "credentials") || strings.Contains(text, "username"):
		remedy = fmt.Sprintf("look at --%s and the password", flagOf(s.Name, "user"))
	case s.TLS.refused(text):
		remedy = s.certificateRemedy()
	case strings.Contains(text, "x509: cannot validate certificate for") || strings.Contains(text, "x509: certificate is valid for"):
		remedy = fmt.Sprintf("the certificate does not name the host; --%s %s verifies all but the name, as cqlsh does",
			flagOf(s.Name, "tls-verify"), VerifyChain)
	case strings.Contains(text, "x509:"):
		remedy = fmt.Sprintf("--%s names the file of authorities to trust", flagOf(s.Name, "tls-ca"))
	}
	return fmt.Errorf("no connection%s at %s: %w; %s", s.to(), strings.Join(s.Hosts, ","), err, remedy)
}

// certificateRemedy says what to do about a server that wants another certificate of the client, or
// one at all.
func (s *Side) certificateRemedy() string {
	if s.TLS.client == "" {
		return fmt.Sprintf("the server asks for a certificate of the client: give --%s and --%s",
			flagOf(s.Name, "tls-cert"), flagOf(s.Name, "tls-key"))
	}
	return fmt.Sprintf("the server may not accept the certificate of %s: it must be signed by an authority that the server trusts, and not be expired",
		s.TLS.client)
}

// to is what a text says of a side that is connected to.
func (s *Side) to() string {
	if s.Name == "" {
		return " to Cassandra"
	}
	return " to the " + s.Name
}

// silent keeps the driver from writing to the terminal: what goes wrong comes back as an error.
type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
