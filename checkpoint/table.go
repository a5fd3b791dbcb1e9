package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// DefaultLease is how long a job stays locked after the last sign of life of its process; see
// Lease.
const DefaultLease = 30 * time.Second

const (
	minLease = 3 * time.Second
	maxLease = 24 * time.Hour
	maxJob   = 65535 // bytes; the maximum of a partition key in Cassandra
)

// TableOption is an option of Table.
type TableOption func(*tableConfig) error

type tableConfig struct {
	lease  time.Duration
	serial gocql.SerialConsistency
}

// Lease sets how long a job stays locked after the last sign of life of its process: from 3 s to 24
// h, default 30 s. The lease is renewed every third of that time. A process that cannot renew it
// for that long loses the job (rxcql.ErrCheckpointLost). After a crash the job stays locked for
// that long and 2 s more.
func Lease(d time.Duration) TableOption {
	return func(c *tableConfig) error {
		if d < minLease || d > maxLease {
			return fmt.Errorf("Lease(%v): must be from %v to %v", d, minLease, maxLease)
		}
		c.lease = d
		return nil
	}
}

// LocalSerial makes the local datacenter alone decide who works on a job (LOCAL_SERIAL and
// LOCAL_QUORUM). By default all datacenters do (SERIAL and QUORUM). All processes that work on the
// jobs of a table must use the same setting, and with LocalSerial the same datacenter; otherwise
// two of them can work on one job at once.
func LocalSerial() TableOption {
	return func(c *tableConfig) error {
		c.serial = gocql.LocalSerial
		return nil
	}
}

// Table keeps the checkpoints of jobs in a table of Cassandra, one row for each. The name is
// "keyspace.table", each part in double quotes where CQL would need them. CreateTable creates it;
// its columns are TableColumns. The session is the caller's, and must stay open for longer than the
// run.
//
// Lock takes a lease on the job's row by a conditional write (LWT). It does not wait: if the job is
// locked, the error wraps rxcql.ErrCheckpointLocked. A goroutine renews the lease (Lease) until
// Unlock, which gives it up at once. If the process dies instead, the lease ends by itself.
//
// Save is a conditional write too. So a process that has lost the job, even one that was stopped
// and does not know of the loss, can never overwrite what its successor saved: it gets
// rxcql.ErrCheckpointLost. Lost is closed as soon as the loss is found out, and at the latest when
// the lease's time has passed without a renewal that the server confirmed. The process's monotonic
// clock measures that time, from before the renewal was sent.
//
// The lease in the table lasts 2 s longer: 1 s because Cassandra counts in whole seconds, and 1 s
// for clocks of servers that differ. Keep these clocks closer than that (NTP); otherwise two
// processes may write rows at once for as long as the clocks differ. The checkpoint stays right
// whatever the clocks do.
//
// A request with a failure that may pass is sent up to 7 times in all, within some seconds. If an
// answer leaves open what the server did, a read at serial consistency finds out first; if it
// cannot, the error says so.
//
// The data have no time to live; only the lease has. While jobs run, write to the table only by
// conditional statements. Load returns nil for a job without data, and reads at serial consistency.
// A checkpoint can have as many bytes as the server takes in one write (16 MiB unless configured
// otherwise).
//
// Errors name the table and the job. A missing or different table is rxcql.ErrSchema.
func Table(session *gocql.Session, name string, opts ...TableOption) rxcql.CheckpointStore {
	t := &table{name: name, cfg: tableConfig{lease: DefaultLease, serial: gocql.Serial}}
	optErr := option.Apply(opts, &t.cfg, func(opt TableOption, c *tableConfig) error { return opt(c) })
	var nameErr, sessionErr error
	t.keyspace, t.table, nameErr = schema.ParseName(name)
	t.session, sessionErr = driver.Wrap(session)
	if err := errors.Join(optErr, nameErr, sessionErr); err != nil {
		t.err = fmt.Errorf("%w: checkpoint.Table: %w", rxcql.ErrConfig, err)
	}
	return t
}

type table struct {
	session         *driver.Session
	name            string // as given, for messages
	keyspace, table string
	cfg             tableConfig
	err             error
}

// ConfigError reports what is wrong with the arguments; see rxcql.ConfigChecker.
func (t *table) ConfigError() error { return t.err }

// Lock is described at Table.
func (t *table) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	if t.err != nil {
		return nil, t.err
	}
	if job == "" || len(job) > maxJob || !utf8.ValidString(job) {
		return nil, fmt.Errorf("%w: checkpoint.Table %s: the job's name must be UTF-8 text of 1 to %d bytes",
			rxcql.ErrConfig, t.name, maxJob)
	}
	r := newCQLRow(t, job)
	if err := retry(ctx, func() error { return t.session.TakesUnset(ctx) }); err != nil {
		return nil, r.fail("lock", err)
	}
	l, err := lockLease(ctx, r, t.cfg.lease)
	if err != nil {
		return nil, err // a nil *lease in the interface would not be nil
	}
	return l, nil
}
