package cassandra

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// hostsTimeout bounds the wait for servers that are said to run already.
const hostsTimeout = 30 * time.Second

// useHosts takes servers that run already. It is content when one of them answers,
// since the driver finds the others through it.
func useHosts(ctx context.Context, s *settings, list string, env func(string) string) (*Cluster, error) {
	hosts, err := parseHosts(list)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		way: WayHosts, hosts: hosts,
		username: env("CASSANDRA_USERNAME"), password: env("CASSANDRA_PASSWORD"),
		caFile: env("CASSANDRA_CA_FILE"), clientCert: env("CASSANDRA_CLIENT_CERT_FILE"), clientKey: env("CASSANDRA_CLIENT_KEY_FILE"),
	}
	if s.password && c.username == "" {
		c.username, c.password = "cassandra", "cassandra"
	}
	if s.tls && c.caFile == "" {
		return nil, fmt.Errorf("the test wants TLS: set CASSANDRA_CA_FILE to the PEM file that verifies %s", list)
	}
	if s.clientAuth && (c.clientCert == "" || c.clientKey == "") {
		return nil, fmt.Errorf("the test wants certificates of clients: set CASSANDRA_CLIENT_CERT_FILE and "+
			"CASSANDRA_CLIENT_KEY_FILE to the PEM files of one that %s accepts", list)
	}
	ctx, cancel := context.WithTimeout(ctx, hostsTimeout)
	defer cancel()
	var failures []string
	for _, host := range hosts {
		datacenter, err := answers(ctx, c.Config(), host, false)
		if err == nil {
			c.datacenter = datacenter
			s.progress("using Cassandra at %s (CASSANDRA_HOSTS)", list)
			return c, nil
		}
		failures = append(failures, fmt.Sprintf("%s: %v", host, err))
	}
	return nil, fmt.Errorf("CASSANDRA_HOSTS is set but no server in it answers CQL (%s); start it, set "+
		"CASSANDRA_USERNAME and CASSANDRA_PASSWORD if it wants a login, or unset CASSANDRA_HOSTS to have one "+
		"started", strings.Join(failures, "; "))
}

// parseHosts reads host or host:port, comma separated; the port is 9042 by default.
// An IPv6 address with a port stands in brackets.
func parseHosts(list string) ([]string, error) {
	var hosts []string
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if bare := strings.Trim(entry, "[]"); !strings.Contains(entry, ":") || net.ParseIP(bare) != nil {
			hosts = append(hosts, net.JoinHostPort(bare, "9042"))
			continue
		}
		host, port, err := net.SplitHostPort(entry)
		if err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("CASSANDRA_HOSTS: %q is not host or host:port", entry)
		}
		hosts = append(hosts, entry)
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("CASSANDRA_HOSTS: %q names no host", list)
	}
	return hosts, nil
}
