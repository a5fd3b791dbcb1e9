package cassandra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gocql/gocql"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
	"go.uber.org/goleak"
)

const cqlPort = "9042/tcp"

// startContainer runs one node in a container with a port of its own mapped.
func startContainer(ctx context.Context, s *settings, image string) (_ *Cluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	began := time.Now()
	// Nothing is written there: the lock on it tells later programs that the
	// container's owner lives.
	run, err := newRunDir(userRunRoot())
	if err != nil {
		return nil, err
	}
	var ctr *testcontainers.DockerContainer
	end := func() error {
		// A nil *DockerContainer in an interface would not pass for nil.
		if ctr == nil {
			return run.remove()
		}
		return errors.Join(testcontainers.TerminateContainer(ctr, testcontainers.StopTimeout(0)), run.remove())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
		}
	}()
	places, err := publishedAddresses(ctx, run)
	if err != nil {
		return nil, err
	}
	s.progress("starting a container of %s", image)
	ctr, err = testcontainers.Run(ctx, image, containerOptions(s, run)...)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, containerLog(ctr)) //nolint:contextcheck // the log is wanted also when ctx is what ended
	}
	port, err := ctr.MappedPort(ctx, cqlPort)
	if err != nil {
		return nil, err
	}
	c := &Cluster{way: WayContainer, end: end}
	if err := c.reach(ctx, places, int(port.Num())); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, containerLog(ctr)) //nolint:contextcheck // the log is wanted also when ctx is what ended
	}
	s.progress("Cassandra answers at %s after %.1f s", c.hosts[0], time.Since(began).Seconds())
	return c, nil
}

func containerOptions(s *settings, run *runDir) []testcontainers.ContainerCustomizer {
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(tclog.NewNoopLogger()),
		testcontainers.WithExposedPorts(cqlPort),
		testcontainers.WithLabels(ownerLabels(run)),
		testcontainers.WithEnv(containerEnv(s)),
		testcontainers.WithWaitStrategy(
			wait.ForLog("Starting listening for CQL clients").WithStartupTimeout(startTimeout)),
	}
	if !s.production {
		// Small data is faster in memory; a benchmark's would not fit.
		options = append(options, testcontainers.WithTmpfs(map[string]string{"/var/lib/cassandra": "rw"}))
	}
	return options
}

// containerEnv is in the words of the official image's entrypoint.
func containerEnv(s *settings) map[string]string {
	extra := "-Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=100"
	if !s.production {
		extra += " -XX:TieredStopAtLevel=1"
	}
	return map[string]string{
		"CASSANDRA_BROADCAST_RPC_ADDRESS": "127.0.0.1",
		"MAX_HEAP_SIZE":                   fmt.Sprintf("%dM", s.heapMB),
		"HEAP_NEWSIZE":                    fmt.Sprintf("%dM", max(s.heapMB/4, 32)),
		"JVM_EXTRA_OPTS":                  extra,
	}
}

// publishedAddresses are where the engine may publish ports, as seen from here.
// Inside a container that is its gateway, if the engine is a neighbour, or the
// loopback, if the engine runs inside as well; which one only a try tells. The
// loopback comes first, since a wrong one refuses there and is silent elsewhere.
// Abandoned containers are removed on this occasion.
func publishedAddresses(ctx context.Context, run *runDir) ([]string, error) {
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
	if err != nil {
		return nil, err
	}
	defer provider.Close()
	sweepContainers(ctx, provider.Client(), filepath.Dir(run.path))
	host, err := provider.DaemonHost(ctx)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", host)
	if err != nil {
		return nil, fmt.Errorf("the engine's address: %w", err)
	}
	return []string{"127.0.0.1", ips[0].String()}, nil
}

// reach finds the place where the server answers, in the order given.
func (c *Cluster) reach(ctx context.Context, places []string, port int) error {
	return waitUntil(ctx, func() error { return nil }, func() error {
		var errs []error
		for _, ip := range places {
			c.hosts = []string{net.JoinHostPort(ip, strconv.Itoa(port))}
			// The server gives out an address that is its own inside the container.
			c.translate = gocql.AddressTranslatorFunc(func(net.IP, int) (net.IP, int) {
				return net.ParseIP(ip), port
			})
			datacenter, err := answers(ctx, c.Config(), c.hosts[0], false)
			if err == nil {
				c.datacenter = datacenter
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// containerLog is the end of the server's log, for an error message.
func containerLog(ctr *testcontainers.DockerContainer) string {
	if ctr == nil {
		return "no log: the container was not made"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	logs, err := ctr.Logs(ctx)
	if err != nil {
		return fmt.Sprintf("no log: %v", err)
	}
	defer logs.Close()
	text, err := io.ReadAll(logs)
	if err != nil {
		return fmt.Sprintf("no log: %v", err)
	}
	return "last lines of the container's log:\n" + lastLines(string(text), 25)
}

// ownerLabels say which program a container belongs to.
func ownerLabels(run *runDir) map[string]string {
	host, _ := os.Hostname() // an empty name only means that no other program sweeps it
	return map[string]string{labelHost: host, labelRun: run.path}
}

// containerLeaks are goroutines that testcontainers keeps for the program's life.
var containerLeaks = []goleak.Option{
	goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
	goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1"),
}
