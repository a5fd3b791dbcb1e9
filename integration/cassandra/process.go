package cassandra

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// startProcess runs the cluster as processes of this machine.
func startProcess(ctx context.Context, s *settings, j java, jars string) (_ *Cluster, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	began := time.Now()
	run, err := newRunDir(userRunRoot())
	if err != nil {
		return nil, err
	}
	c := &Cluster{way: WayProcess, datacenter: "datacenter1"}
	c.end = func() error { return endProcesses(c.nodes, run) }
	defer func() {
		if err != nil {
			err = errors.Join(err, c.end())
		}
	}()
	addrs, p, err := systemLoopback().free(s.nodes)
	if err != nil {
		return nil, err
	}
	if s.password {
		c.username, c.password = "cassandra", "cassandra"
	}
	var stores []string
	if s.tls {
		keystore, ca, err := makeCertificate(ctx, j, run.path, addrs)
		if err != nil {
			return nil, fmt.Errorf("make the certificate: %w", err)
		}
		stores, c.caFile = append(stores, keystore), ca
	}
	if s.clientAuth {
		truststore, cert, key, err := makeClientCertificate(ctx, j, run.path)
		if err != nil {
			return nil, fmt.Errorf("make the certificate of a client: %w", err)
		}
		stores, c.clientCert, c.clientKey = append(stores, truststore), cert, key
	}
	for i, addr := range addrs {
		dir := filepath.Join(run.path, "node"+strconv.Itoa(i+1))
		if err := writeNodeFiles(dir, stores, yamlFor(s, filepath.Base(run.path), dir, addr, addrs, p)); err != nil {
			return nil, err
		}
		n := &Node{
			host:    net.JoinHostPort(addr, strconv.Itoa(p.native)),
			logFile: filepath.Join(dir, "system.log"),
			command: func() *exec.Cmd { return daemonCommand(j, s, jars, dir) },
			ready:   c.nodeReady,
			again:   s.restarts || s.production,
		}
		c.nodes, c.hosts = append(c.nodes, n), append(c.hosts, n.host)
	}
	s.progress("starting Cassandra %s on %v (Java %d)", Version, c.hosts, j.major)
	// All start before any is waited for: they need each other to be complete.
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			return nil, err
		}
	}
	var group errgroup.Group
	for _, n := range c.nodes {
		group.Go(func() error { return c.nodeReady(ctx, n) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.progress("Cassandra answers after %.1f s", time.Since(began).Seconds())
	return c, nil
}

// nodeReady waits until a node answers CQL, and sees all others if all run.
func (c *Cluster) nodeReady(ctx context.Context, n *Node) error {
	all := len(c.nodes) > 1
	for _, other := range c.nodes {
		all = all && other.Pid() != 0
	}
	err := waitUntil(ctx, n.ended, func() error {
		_, err := answers(ctx, c.Config(), n.host, all)
		return err
	})
	if err != nil && n.ended() == nil {
		return fmt.Errorf("%s: %w\n%s", n.host, err, n.logEnd())
	}
	return err
}

// endProcesses kills all nodes at once, since their data goes with them.
func endProcesses(nodes []*Node, run *runDir) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.Kill())
	}
	return errors.Join(append(errs, run.remove())...)
}

// writeNodeFiles makes the folder of a node with its configuration, and copies of the stores of its
// certificates.
func writeNodeFiles(dir string, stores []string, yaml string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a node's folder: %w", err)
	}
	files := map[string][]byte{"cassandra.yaml": []byte(yaml), "logback.xml": []byte(logback)}
	for _, path := range stores {
		store, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read a store of certificates: %w", err)
		}
		files[filepath.Base(path)] = store
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("write a node's configuration: %w", err)
		}
	}
	return nil
}

// daemonCommand is what runs a node. The superuser's JVM locks its whole memory,
// which doubles what a node takes, so that right is given up if setpriv is there.
func daemonCommand(j java, s *settings, jars, dir string) *exec.Cmd {
	name := j.tool("java")
	args := daemonArgs(j, s, filepath.Join(jars, "*"), filepath.Join(dir, "cassandra.yaml"), dir)
	if os.Geteuid() == 0 {
		if setpriv, err := exec.LookPath("setpriv"); err == nil {
			name, args = setpriv, append([]string{"--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", name}, args...)
		}
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd
}
