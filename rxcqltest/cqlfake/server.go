package cqlfake

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// TB is what a server needs of a test; testing.TB has it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Option sets something of a server.
type Option func(*Server)

// Loopback has the server listen on a port of 127.0.0.1. By default there is no
// network: connections are pipes in memory, as a synctest bubble needs.
func Loopback() Option { return func(s *Server) { s.loopback = true } }

// Latency is how long each request takes that is not of system tables. The default is 0.
func Latency(d time.Duration) Option { return func(s *Server) { s.latency = d } }

// Server is a Cassandra of one node in this process. It is safe for concurrent use.
type Server struct {
	t        TB
	loopback bool
	latency  time.Duration
	ip       net.IP
	port     int
	listener net.Listener
	done     chan struct{}
	tasks    sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	conns     map[*conn]bool
	keyspaces map[string]bool
	tables    map[tableName]*table
	types     map[tableName]*codec.Type // user-defined
	prepared  map[string]*plan          // by id
	last      int64                     // the newest timestamp that was made here

	controlling sync.Mutex // control functions run one at a time
	controls    []*control
	counts      counts
}

// New starts a server without keyspaces, which ends with its test.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	s := &Server{
		t: t, ip: net.IPv4(127, 0, 0, 1), port: 9042, done: make(chan struct{}),
		conns: map[*conn]bool{}, keyspaces: map[string]bool{}, tables: map[tableName]*table{}, types: map[tableName]*codec.Type{}, prepared: map[string]*plan{},
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.loopback {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("cqlfake: %v", err)
		}
		s.listener, s.port = listener, listener.Addr().(*net.TCPAddr).Port
		s.tasks.Go(s.accept)
	}
	s.createSystem()
	t.Cleanup(s.Close)
	return s
}

// Close ends the server with all its connections. It is called at the end of the test.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	if first {
		close(s.done)
		if s.listener != nil {
			s.listener.Close()
		}
	}
	for c := range conns {
		c.close()
	}
	s.tasks.Wait()
}

// Cluster is the configuration of a client of this server, with protocol 4 and one
// connection. Change it as you like and call its CreateSession. The session must be
// closed before the server is (CloseSession).
//
// Over loopback a request may take a minute. Without a network no request has a timeout:
// for each request that has one, gocql receives from a timer that has ended, and where two
// goroutines of a bubble do that at once, the race detector of Go 1.26 ends the process
// (https://go.dev/issue/78156). Set Timeout where a test is about timeouts, and have one
// request in flight there.
func (s *Server) Cluster() *gocql.ClusterConfig {
	config := gocql.NewCluster(s.ip.String())
	config.Port = s.port
	config.ProtoVersion = 4
	config.NumConns = 1
	config.Timeout, config.ConnectTimeout = 0, 0
	config.Logger = silent{}
	config.ReconnectionPolicy = &gocql.ConstantReconnectionPolicy{MaxRetries: 3} // waits would outlive the session
	if s.loopback {
		config.Timeout, config.ConnectTimeout = time.Minute, time.Minute
	} else {
		config.HostDialer = dialer{s}
	}
	return config
}

// Session connects to a keyspace, "" for none. The session is closed at the end of the test.
func (s *Server) Session(keyspace string) *gocql.Session {
	s.t.Helper()
	config := s.Cluster()
	config.Keyspace = keyspace
	session, err := config.CreateSession()
	if err != nil {
		if keyspace != "" && !s.has(keyspace) {
			err = fmt.Errorf("there is no keyspace %q; make it first, by Server.Keyspace: %w", keyspace, err)
		}
		s.t.Fatalf("cqlfake: a session: %v", err)
		return nil
	}
	s.t.Cleanup(func() { CloseSession(session) })
	return session
}

// has reports whether there is such a keyspace.
func (s *Server) has(keyspace string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keyspaces[keyspace]
}

// CloseSession closes a session of Cluster, so that it leaves no goroutine in a synctest bubble.
// (Session does it by itself.) The driver has a heartbeat in a goroutine of its own, and a session
// that is closed before that one has begun leaves it for ever. In a bubble time goes on only when
// all goroutines wait; outside of one it has several turns to begin. What connects when the session
// is closed fails, and then sleeps for up to 131 ms before it ends.
func CloseSession(session *gocql.Session) {
	for range 10 {
		time.Sleep(time.Millisecond)
	}
	session.Close()
	time.Sleep(200 * time.Millisecond)
}

type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// Keyspace makes a keyspace and tables in it. A table is given as what follows the words CREATE
// TABLE, such as "orders (id int PRIMARY KEY, euros int)".
func (s *Server) Keyspace(name string, tables ...string) {
	s.t.Helper()
	s.Exec("CREATE KEYSPACE " + quoteName(name) + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}")
	for _, definition := range tables {
		if err := s.exec(name, "CREATE TABLE "+definition); err != nil {
			s.t.Fatalf("cqlfake: CREATE TABLE %s: %v", definition, err)
		}
	}
}

// Exec runs statements, one after the other, without a connection and past all control functions:
// they make the tables and rows that a test begins with. They have no bound values. A timestamp, a
// date and a time are written as text, such as '2026-01-02T15:04:05Z'.
func (s *Server) Exec(statements ...string) {
	s.t.Helper()
	for _, cql := range statements {
		if err := s.exec("", cql); err != nil {
			s.t.Fatalf("cqlfake: %s: %v", cql, err)
		}
	}
}

func (s *Server) exec(keyspace, cql string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, refused := s.compile(keyspace, cql)
	if refused != nil {
		return fmt.Errorf("%s", refused.GetErrorMessage())
	}
	if failed, is := made.execute(&call{timestamp: s.timestamp(), now: time.Now()}).(message.Error); is {
		return fmt.Errorf("%s", failed.GetErrorMessage())
	}
	return nil
}

// timestamp is the time of the server in microseconds, which never stands still.
func (s *Server) timestamp() int64 {
	s.last = max(time.Now().UnixMicro(), s.last+1)
	return s.last
}

func quoteName(name string) string { return `"` + name + `"` }
