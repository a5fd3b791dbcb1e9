// Package cassandra gives tests, examples and benchmarks a real Cassandra.
//
// There are three ways to one, tried in this order:
//
//   - "hosts": the servers that CASSANDRA_HOSTS names (comma separated, host or
//     host:port). When it is set nothing else is tried, so a test never runs
//     against another server than the one that was asked for. CASSANDRA_USERNAME,
//     CASSANDRA_PASSWORD and CASSANDRA_CA_FILE give the login and the CA,
//     CASSANDRA_CLIENT_CERT_FILE and CASSANDRA_CLIENT_KEY_FILE the certificate of a client.
//   - "container": a container started through testcontainers-go, if an engine
//     answers and has, or can pull, the image ([DefaultImage], or the one that
//     RXCQL_CASSANDRA_IMAGE names).
//   - "process": the Cassandra daemon as a process of this machine. It needs a
//     JDK 17 or 11, and mvn the first time: the jars are copied once into the
//     user's cache folder. It is the only way with more than one node, with
//     WithPassword, WithTLS, WithClientCertificates or Setting.
//
// RXCQL_CASSANDRA=hosts|container|process forces one of them. If no way works, the error says for
// each what is missing and the remedy; tests built on [Main] then fail, they are never skipped.
//
// A test package needs these lines and then calls [Keyspace] in its tests:
//
//	var cluster *cassandra.Cluster
//
//	func TestMain(m *testing.M) { cassandra.Main(m, &cluster) }
//
// Every instance has addresses, ports and a data directory of its own, so the
// test packages of a module can run side by side. On Linux and macOS a process
// started here dies with the program that started it, however that ends.
package cassandra
