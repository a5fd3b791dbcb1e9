package rxcql

import (
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/driver"
)

// Configure sets in c what suits the toolkit; call it before CreateSession:
//
//   - driver retries off, nothing idempotent by default: the toolkit knows what
//     may be repeated;
//   - protocol 4 (unset values);
//   - requests go to a replica of their partition, in the local datacenter if
//     its name is given ("" for none), unless c has a host policy already;
//   - with TLS and no Config of its own, the host is verified, which gocql does
//     not do unless told;
//   - timeouts and connections a node where c has none: 11 s, above the
//     server's own 10 s for range reads; 5 s to connect; 2 connections.
//     gocql.NewCluster has set all of these: 11 s, 11 s and 2.
//
// Consistency, credentials and everything else stay. Use c for one session.
//
// A session that was made without it is used as follows. Refused, at Check and at
// Run (ErrConfig): a protocol below 4, by everything that writes. A datacenter that no
// node is in is refused only if it was given to Configure. Overruled, request by request:
// the session's retry policy, its idempotence and page size, auto-paging, metadata left
// out of answers; speculative execution is never asked for. Taken as it is: consistency
// and serial consistency, timestamps (DefaultTimestamp) of what sink.Exec runs,
// compression, the host policy, and Timeout, of which 0 lets a request wait for as long as
// its context does.
func Configure(c *gocql.ClusterConfig, localDC string) error {
	if err := driver.Configure(c, localDC); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}
