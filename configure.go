package rxcql

import (
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/driver"
)

// Configure sets in c what the toolkit needs; call it before CreateSession:
//
//   - The driver does not retry, and nothing is idempotent by default: the toolkit knows what may
//     be repeated.
//   - Protocol 4, which has unset values.
//   - Requests go to a replica of their partition, unless c has a host policy already: in the local
//     datacenter, if its name is given ("" for none).
//   - With TLS and no Config of its own, the host is verified, which gocql does not do by default.
//   - Timeouts and connections for each node, where c has none: 11 s, above the server's own 10 s
//     for range reads; 5 s to connect; 2 connections. gocql.NewCluster has set all of these
//     already: 11 s, 11 s and 2.
//
// Consistency, credentials and everything else stay. Use c for one session.
//
// A session made without Configure works as follows:
//
//   - Everything that writes refuses a protocol below 4 at Check and at Run (ErrConfig). A
//     datacenter that has no node is refused only if it was given to Configure.
//   - Overruled for each request: the session's retry policy, its idempotence and page size,
//     auto-paging, and leaving metadata out of answers. Speculative execution is never asked for.
//   - Kept: consistency and serial consistency, the timestamps (DefaultTimestamp) of what sink.Exec
//     runs, compression, the host policy, and Timeout. With a Timeout of 0 a request waits until
//     its context ends.
func Configure(c *gocql.ClusterConfig, localDC string) error {
	if err := driver.Configure(c, localDC); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}
