package cassandra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

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
	published, err := publishedAddress(ctx, run)
	if err != nil {
		return nil, err
	}
	s.progress("starting a container of %s", image)
	ctr, err = testcontainers.Run(ctx, image, containerOptions(s, run, published)...)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, containerLog(ctr))
	}
	port, err := ctr.MappedPort(ctx, cqlPort)
	if err != nil {
		return nil, err
	}
	c := &Cluster{way: WayContainer, end: end}
	if err := c.reach(ctx, published, port.Port()); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, containerLog(ctr))
	}
	s.progress("Cassandra answers at %s after %.1f s", c.hosts[0], time.Since(began).Seconds())
	return c, nil
}

func containerOptions(s *settings, run *runDir, published string) []testcontainers.ContainerCustomizer {
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(tclog.NewNoopLogger()),
		testcontainers.WithExposedPorts(cqlPort),
		testcontainers.WithLabels(ownerLabels(run)),
		testcontainers.WithEnv(containerEnv(s, published)),
		testcontainers.WithWaitStrategy(
			wait.ForLog("Starting listening for CQL clients").WithStartupTimeout(startTimeout)),
	}
	if !s.production {
		// Small data is faster in memory; a benchmark's would not fit.
		options = append(options, testcontainers.WithTmpfs(map[string]string{"/var/lib/cassandra": "rw"}))
	}
	return options
}

// containerEnv is in the words of the official image's entrypoint. The address that
// the server gives out is the one its port is published on, so that the driver's
// look-up of hosts works as with any server.
func containerEnv(s *settings, published string) map[string]string {
	extra := "-Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=100"
	if !s.production {
		extra += " -XX:TieredStopAtLevel=1"
	}
	return map[string]string{
		"CASSANDRA_BROADCAST_RPC_ADDRESS": published,
		"MAX_HEAP_SIZE":                   fmt.Sprintf("%dM", s.heapMB),
		"HEAP_NEWSIZE":                    fmt.Sprintf("%dM", max(s.heapMB/4, 32)),
		"JVM_EXTRA_OPTS":                  extra,
	}
}

// publishedAddress is the IP address that the engine publishes ports on as seen from
// here. Abandoned containers are removed on this occasion.
func publishedAddress(ctx context.Context, run *runDir) (string, error) {
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(tclog.NewNoopLogger()))
	if err != nil {
		return "", err
	}
	defer provider.Close()
	sweepContainers(ctx, provider.Client(), filepath.Dir(run.path))
	host, err := provider.DaemonHost(ctx)
	if err != nil {
		return "", err
	}
	if net.ParseIP(host) != nil {
		return host, nil
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip4", host)
	if err != nil {
		return "", fmt.Errorf("the engine's address: %w", err)
	}
	return ips[0].String(), nil
}

// reach finds how the server answers: at the published address as any server does,
// or, if the image gives out an address of its own that leads nowhere from here,
// without the driver's look-up of hosts. Inside a container the engine may be a
// neighbour or live right here, hence 127.0.0.1 as well.
func (c *Cluster) reach(ctx context.Context, published, port string) error {
	return waitUntil(ctx, func() error { return nil }, func() error {
		var errs []error
		for _, ip := range []string{published, "127.0.0.1"} {
			for _, noLookup := range []bool{false, true} {
				c.hosts, c.noLookup = []string{net.JoinHostPort(ip, port)}, noLookup
				datacenter, err := answers(ctx, c.Config(), c.hosts[0], false)
				if err == nil {
					c.datacenter = datacenter
					return nil
				}
				errs = append(errs, err)
			}
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
