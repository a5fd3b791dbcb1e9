package sink

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gocql/gocql"
)

// TableOption is an option of Table.
type TableOption interface{ applyTable(*tableConfig) error }

// ExecOption is an option of Exec.
type ExecOption interface{ applyExec(*execConfig) error }

// EachOption is an option of Each.
type EachOption interface{ applyEach(*eachConfig) error }

// WriteOption is an option of the sinks that write to Cassandra.
type WriteOption interface {
	TableOption
	ExecOption
}

const (
	// DefaultInFlight is how many requests Table and Exec have in flight at once.
	DefaultInFlight = 64
	maxInFlight     = 32_768 // the number of requests that one connection can number
)

type inFlight int

// InFlight sets how many things a sink does at once, from 1 to 32,768. For Table these are batches
// and for Exec statements, default 64. For Each they are calls, default 1, which keeps the order of
// the stream.
func InFlight(n int) interface {
	WriteOption
	EachOption
} {
	return inFlight(n)
}

func (n inFlight) set(to *int) error {
	if n < 1 || n > maxInFlight {
		return fmt.Errorf("InFlight(%d): must be from 1 to %d", int(n), maxInFlight)
	}
	*to = int(n)
	return nil
}

func (n inFlight) applyTable(c *tableConfig) error { return n.set(&c.inFlight) }
func (n inFlight) applyExec(c *execConfig) error   { return n.set(&c.inFlight) }
func (n inFlight) applyEach(c *eachConfig) error   { return n.set(&c.inFlight) }

type consistency gocql.Consistency

// Consistency sets the consistency of the writes. Default: the session's.
func Consistency(c gocql.Consistency) WriteOption { return consistency(c) }

func (o consistency) set(to **gocql.Consistency) error {
	level := gocql.Consistency(o)
	if level > gocql.LocalOne {
		return fmt.Errorf("Consistency(%d): no such level", uint16(level))
	}
	*to = &level
	return nil
}

func (o consistency) applyTable(c *tableConfig) error { return o.set(&c.consistency) }
func (o consistency) applyExec(c *execConfig) error   { return o.set(&c.consistency) }

type idempotent struct{}

// Idempotent says that doing the same with one row twice does no harm, even after later rows:
// running its statement again (Exec), or calling the function (Each). Then any failure that may
// pass may be retried, and a job with a checkpoint may go on. Counter updates, appends to lists and
// conditional statements are not idempotent. The session's retry policies and observers see the
// statement as idempotent too.
func Idempotent() interface {
	ExecOption
	EachOption
} {
	return idempotent{}
}

func (idempotent) applyExec(c *execConfig) error {
	c.idempotent = true
	return nil
}

func (idempotent) applyEach(c *eachConfig) error {
	c.idempotent = true
	return nil
}

// tableOption is an option of Table only.
type tableOption func(*tableConfig) error

func (fn tableOption) applyTable(c *tableConfig) error { return fn(c) }

// BatchRows sets the most rows in a batch, from 1 to 65,535. Default 100, or the partitions of
// BatchByReplicaSet if they are more. With 1 every row is a statement of its own.
func BatchRows(n int) TableOption {
	return tableOption(func(c *tableConfig) error {
		if n < 1 || n > maxBatchRows {
			return fmt.Errorf("BatchRows(%d): must be from 1 to %d", n, maxBatchRows)
		}
		c.batchRows = n
		return nil
	})
}

// BatchBytes sets the most encoded bytes in a batch. Default 48 KiB, from 1 KiB to 16 MiB. A row
// that is larger goes alone. Above 64 KiB the nodes of a cluster pass a write to each other as a
// large message, which is slower.
func BatchBytes(n int) TableOption {
	return tableOption(func(c *tableConfig) error {
		if n < minBatchBytes || n > maxBatchBytes {
			return fmt.Errorf("BatchBytes(%d): must be from %d to %d", n, minBatchBytes, maxBatchBytes)
		}
		c.batchBytes = n
		return nil
	})
}

// BatchLinger sets how long a batch that is not full waits for more rows of its partition (of its
// replica set, with BatchByReplicaSet). Default 5 ms, at most 1 minute. It matters only if rows
// come slowly: otherwise batches fill up, or make room for others, before that.
func BatchLinger(d time.Duration) TableOption {
	return tableOption(func(c *tableConfig) error {
		if d <= 0 || d > maxLinger {
			return fmt.Errorf("BatchLinger(%v): must be above 0 and at most %v", d, maxLinger)
		}
		c.linger = d
		return nil
	})
}

// Columns names the columns to write, exactly as the schema spells them. It is required if T is a
// single value. It is optional for rxcql.Row, of which all columns are written without it. A struct
// names its own columns.
func Columns(names ...string) TableOption {
	return tableOption(func(c *tableConfig) error {
		if len(names) == 0 {
			return errors.New("Columns(): name at least one")
		}
		for _, name := range names {
			if slices.Contains(c.columns, name) {
				return fmt.Errorf("Columns: %q is named twice: name each column once", name)
			}
			c.columns = append(c.columns, name)
		}
		return nil
	})
}

// LeaveOut names columns that rows of type rxcql.Row may have and that are not written, such as
// those that TTLOf and TimestampOf look at. Unlike Columns it lets rows differ in their other
// columns: of each row all that are not named here are written.
func LeaveOut(names ...string) TableOption {
	return tableOption(func(c *tableConfig) error {
		c.leaveOut = append(c.leaveOut, names...)
		return nil
	})
}

// NullsDelete writes a null as a null, which deletes the column's value and leaves a tombstone. By
// default a null is unset: the column stays as it is.
func NullsDelete() TableOption {
	return tableOption(func(c *tableConfig) error {
		c.nullsDelete = true
		return nil
	})
}

// Delete makes the sink delete the row of each T by its primary key. Other columns of T are
// ignored.
func Delete() TableOption {
	return tableOption(func(c *tableConfig) error {
		c.delete = true
		return nil
	})
}

// TTL makes every row expire after d: whole seconds, up to 20 years of 365 days. Without it the
// table's default holds. The server refuses a row that would expire after the latest date that it
// can store: 2038-01-19, or in 2106 if its storage_compatibility_mode is NONE. That ends the run
// with rxcql.ErrConfig.
func TTL(d time.Duration) TableOption {
	return tableOption(func(c *tableConfig) error {
		seconds, err := ttlSeconds(d)
		if err == nil && seconds == 0 {
			err = errors.New("must be above 0; leave the option out for the table's default")
		}
		if err != nil {
			return fmt.Errorf("TTL(%v): %w", d, err)
		}
		c.ttl = seconds
		return nil
	})
}

// TTLOf takes the time to live of each row from the row: whole seconds up to 20 years, or 0 for the
// table's default. With any other value the row is a row that failed; so is a row that would expire
// after the latest date that the server can store (see TTL).
func TTLOf[T any](fn func(T) time.Duration) TableOption {
	return tableOption(func(c *tableConfig) error {
		if fn == nil {
			return errors.New("TTLOf: the function is nil")
		}
		c.ttlOf = fn
		return nil
	})
}

// TimestampOf takes the write timestamp of each row from the row, in microseconds since 1970, above
// 0. Of several versions of a row, the one with the highest timestamp wins, in whatever order they
// come. Of two versions with the same timestamp, the server keeps the larger value of each column.
// If another sink of a Tee writes the same table without TimestampOf, what fn returns decides which
// of the two wins.
func TimestampOf[T any](fn func(T) int64) TableOption {
	return tableOption(func(c *tableConfig) error {
		if fn == nil {
			return errors.New("TimestampOf: the function is nil")
		}
		c.timestamp = fn
		return nil
	})
}
