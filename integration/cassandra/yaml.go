package cassandra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// yamlFor is the cassandra.yaml of one node that keeps all its files under dir.
// Values are quoted as they are needed; a Setting replaces the default of its name.
func yamlFor(s *settings, name, dir, addr string, seeds []string, p ports) string {
	lines := map[string]string{
		"cluster_name":                   name,
		"num_tokens":                     "16",
		"partitioner":                    "org.apache.cassandra.dht.Murmur3Partitioner",
		"data_file_directories":          fmt.Sprintf("[%q]", dir+"/data"),
		"commitlog_directory":            fmt.Sprintf("%q", dir+"/commitlog"),
		"saved_caches_directory":         fmt.Sprintf("%q", dir+"/saved_caches"),
		"hints_directory":                fmt.Sprintf("%q", dir+"/hints"),
		"cdc_raw_directory":              fmt.Sprintf("%q", dir+"/cdc_raw"),
		"commitlog_sync":                 "periodic",
		"commitlog_sync_period":          "10000ms",
		"auto_snapshot":                  "false",
		"auto_bootstrap":                 "false",
		"listen_address":                 addr,
		"rpc_address":                    addr,
		"storage_port":                   fmt.Sprint(p.storage),
		"native_transport_port":          fmt.Sprint(p.native),
		"endpoint_snitch":                "SimpleSnitch",
		"concurrent_compactors":          "1",
		"seed_provider":                  fmt.Sprintf(seedProvider, strings.Join(withPort(seeds, p.storage), ",")),
		"user_defined_functions_enabled": "true",
	}
	if s.production {
		delete(lines, "concurrent_compactors")
	}
	if s.nodes == 1 && !s.production { // a coordinator that waits for nobody else: see patience
		for _, what := range []string{
			"read_request", "range_request", "write_request", "counter_write_request", "cas_contention", "truncate_request", "request",
		} {
			lines[what+"_timeout"] = fmt.Sprintf("%ds", int(patience.Seconds()))
		}
	}
	if s.password {
		lines["authenticator"] = "PasswordAuthenticator"
		lines["authorizer"] = "CassandraAuthorizer"
		lines["role_manager"] = "CassandraRoleManager"
		// A test that revokes something must see it at once.
		lines["roles_validity"] = "0ms"
		lines["permissions_validity"] = "0ms"
		lines["credentials_validity"] = "0ms"
	}
	if s.tls {
		lines["client_encryption_options"] = fmt.Sprintf(clientEncryption, dir+"/"+keystoreFile, storePassword)
		if s.clientAuth {
			lines["client_encryption_options"] += fmt.Sprintf(clientCertificates, dir+"/"+truststoreFile, storePassword)
		} else {
			lines["client_encryption_options"] += noClientCertificates
		}
	}
	for _, extra := range s.yaml {
		lines[extra.name] = extra.value
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&b, "%s: %s\n", key, lines[key])
	}
	return b.String()
}

const seedProvider = `
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: %q`

const clientEncryption = `
  enabled: true
  optional: false
  keystore: %q
  keystore_password: %s
  store_type: PKCS12`

const noClientCertificates = `
  require_client_auth: false`

const clientCertificates = `
  require_client_auth: true
  truststore: %q
  truststore_password: %s`

func withPort(hosts []string, port int) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = fmt.Sprintf("%s:%d", h, port)
	}
	return out
}

// logback makes the server log at INFO to its standard output; without a file it
// would log at DEBUG.
const logback = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{HH:mm:ss.SSS} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
`
