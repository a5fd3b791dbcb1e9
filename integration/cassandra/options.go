package cassandra

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"go.uber.org/goleak"
)

// Option changes what [Start] starts.
type Option func(*settings)

// settings is what the options say, with the defaults filled in.
type settings struct {
	nodes      int
	password   bool
	tls        bool
	clientAuth bool // the server wants a certificate of each client
	production bool
	restarts   bool
	heapMB     int
	yaml       []yamlSetting
	progress   func(format string, args ...any)
	leaks      []goleak.Option
}

// yamlSetting is one extra line of cassandra.yaml.
type yamlSetting struct{ name, value string }

func newSettings(opts []Option) (*settings, error) {
	s := &settings{nodes: 1, progress: func(string, ...any) {}}
	for _, opt := range opts {
		opt(s)
	}
	if s.nodes != 1 && s.nodes != 3 {
		return nil, fmt.Errorf("cassandra: Nodes(%d): only 1 and 3 are supported", s.nodes)
	}
	if s.clientAuth && !s.tls {
		return nil, errors.New("cassandra: WithClientCertificates is for servers that speak TLS: give WithTLS too")
	}
	if s.heapMB == 0 {
		switch {
		case s.production:
			s.heapMB = 2048
		case s.nodes > 1:
			s.heapMB = 256
		default:
			s.heapMB = 512
		}
	}
	if s.heapMB < 128 {
		return nil, fmt.Errorf("cassandra: Heap(%d): Cassandra does not start with less than 128 MB", s.heapMB)
	}
	return s, nil
}

// processOnly names the options that only a local process can honour; it is
// empty when a container would do as well.
func (s *settings) processOnly() []string {
	var only []string
	if s.nodes > 1 {
		only = append(only, "Nodes("+strconv.Itoa(s.nodes)+")")
	}
	if s.password {
		only = append(only, "WithPassword")
	}
	if s.tls {
		only = append(only, "WithTLS")
	}
	if s.clientAuth {
		only = append(only, "WithClientCertificates")
	}
	if len(s.yaml) > 0 {
		only = append(only, "Setting")
	}
	return only
}

// Nodes sets how many nodes the cluster has: 1 (the default) or 3. Three nodes
// need the process way; each has an IP address of its own and all share one port.
func Nodes(n int) Option { return func(s *settings) { s.nodes = n } }

// WithPassword turns PasswordAuthenticator and CassandraAuthorizer on. The login
// of [Cluster.Config] is the superuser cassandra with password cassandra.
func WithPassword() Option { return func(s *settings) { s.password = true } }

// WithTLS makes the servers accept TLS only. The certificate is made for the run;
// [Cluster.CAFile] is the file to verify it with and [Cluster.Config] uses it.
func WithTLS() Option { return func(s *settings) { s.tls = true } }

// WithClientCertificates makes the servers refuse clients without a certificate
// (require_client_auth), with WithTLS. [Cluster.ClientCertificate] is one that they accept, made
// for the run, and [Cluster.Config] uses it.
func WithClientCertificates() Option { return func(s *settings) { s.clientAuth = true } }

// Restarts makes nodes that [Node.Restart] can start again with their tables. By default a node
// leaves its schema in its commit log, where a start does not find it, and never flushes it: each
// change of the schema then takes a fraction of the time. Restarts changes nothing in the other
// ways, where nothing here starts a server again.
func Restarts() Option { return func(s *settings) { s.restarts = true } }

// Production runs the JVM as a server in use would: G1, the full JIT compiler and
// 2048 MB of heap unless Heap says otherwise. It starts about twice as slowly; use
// it for benchmarks. By default the JVM is set to start fast and stay small.
func Production() Option { return func(s *settings) { s.production = true } }

// Heap sets the Java heap of each node in MB, 128 at least: by default 512 for one
// node, 256 for each of three, 2048 with Production. A container gets it through
// MAX_HEAP_SIZE.
func Heap(mb int) Option { return func(s *settings) { s.heapMB = mb } }

// Setting adds one top-level line to cassandra.yaml, such as
// Setting("tombstone_failure_threshold", "1000"). A name that is set by default
// is replaced. A wrong name shows as a start that fails with the server's words.
func Setting(name, value string) Option {
	return func(s *settings) { s.yaml = append(s.yaml, yamlSetting{name, value}) }
}

// Log sends progress lines, such as "downloading Cassandra (66 MB)", to w. By
// default [Start] says nothing and [Main] writes to standard error.
func Log(w io.Writer) Option {
	return func(s *settings) {
		s.progress = func(format string, args ...any) {
			fmt.Fprintf(w, "cassandra: "+format+"\n", args...)
		}
	}
}

// Logger sends progress lines to l at level Info.
func Logger(l *slog.Logger) Option {
	return func(s *settings) {
		s.progress = func(format string, args ...any) { l.Info(fmt.Sprintf(format, args...)) }
	}
}

// IgnoreLeaks gives [Main]'s check for leaked goroutines the exceptions that the
// package needs. Start takes no notice of it.
func IgnoreLeaks(opts ...goleak.Option) Option {
	return func(s *settings) { s.leaks = append(s.leaks, opts...) }
}
