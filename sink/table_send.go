package sink

import (
	"context"
	"encoding/binary"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/driver"
)

// wire sends rows to the server. One call is one attempt.
type wire interface {
	send(ctx context.Context, b *batch, from, to, attempt int) error
	// prepares returns nil if the server takes a statement, whatever its values.
	prepares(ctx context.Context, cql string) error
}

// request is the memory of requests, reused with its batch.
type request struct {
	values []driver.Value
	args   []any
	counts []int // number of arguments of each row, or of each statement of rows with times
	extra  []byte
	batch  driver.Batch
	single driver.Repeated

	statements []*statement // of rows with times
}

// cqlWire sends rows through the driver.
type cqlWire struct {
	session     *driver.Session
	consistency *gocql.Consistency
	held        bool // lists that the table has are read first: see heldList
}

// send writes the rows from..to of a batch in one request: one row as a plain statement; rows of
// one statement as a prepared text for that many rows, if there is one; other rows as a batch of
// statements.
func (w *cqlWire) send(ctx context.Context, b *batch, from, to, attempt int) error {
	if len(b.timed.rows) > 0 {
		return w.sendTimed(ctx, b, from, to, attempt)
	}
	uniform := b.bind(from, to, attempt)
	r := &b.request
	first := b.rows[from].statement
	text := first.sent
	if to-from > 1 {
		text = ""
		if uniform {
			text = first.times(to - from)
		}
	}
	if text != "" {
		return r.single.Exec(ctx, w.session, &driver.Statement{
			CQL: text, Args: r.args, Encoding: first.aim.encoding, Consistency: w.consistency, Idempotent: !first.lists,
		})
	}
	r.batch.Reset()
	r.batch.Consistency, r.batch.Idempotent = w.consistency, !first.lists
	args := r.args
	for i, n := range r.counts {
		st := b.rows[from+i].statement
		r.batch.AddEntry(st.sent, args[:n:n], st.aim.encoding)
		args = args[n:]
	}
	return w.session.ExecBatch(ctx, &r.batch)
}

func (w *cqlWire) prepares(ctx context.Context, cql string) error {
	_, err := w.session.Describe(ctx, cql)
	return err
}

// bind makes the arguments of rows, for each row in the order of its statement's markers. It
// reports whether all rows have the same statement.
func (b *batch) bind(from, to, attempt int) (uniform bool) {
	r := &b.request
	firstCell, _ := b.cells(from)
	_, lastCell := b.cells(to - 1)
	cells := lastCell - firstCell + 2*(to-from)
	r.values, r.args, r.extra = grow(r.values, cells), grow(r.args, cells), grow(r.extra, 12*(to-from))
	r.counts = r.counts[:0]
	uniform = true
	n, extra := 0, r.extra
	for i := from; i < to; i++ {
		row := &b.rows[i]
		uniform = uniform && row.statement == b.rows[from].statement
		before := n
		at := row.timestamp
		if row.statement.lists {
			at += int64(attempt)
		}
		timestamp := binary.BigEndian.AppendUint64(extra[:0], uint64(at))
		if row.statement.deletes {
			n = r.set(n, timestamp, driver.Set)
		}
		first, after := b.cells(i)
		start := 0
		if first > 0 {
			start = int(b.ends[first-1].at)
		}
		for _, e := range b.ends[first:after] {
			n = r.set(n, b.buf[start:e.at:e.at], e.state)
			start = int(e.at)
		}
		if !row.statement.deletes {
			n = r.set(n, timestamp, driver.Set)
		}
		if row.statement.ttl {
			state := driver.Set
			if row.ttl == 0 {
				state = driver.Unset
			}
			n = r.set(n, binary.BigEndian.AppendUint32(extra[8:8], uint32(row.ttl)), state)
		}
		extra = extra[12:]
		r.counts = append(r.counts, n-before)
	}
	r.args = r.args[:n]
	return uniform
}

// set makes argument n and returns n+1. Argument n is always value n, so memory that is reused has
// most arguments already; not writing these again spares the garbage collector.
func (r *request) set(n int, bytes []byte, state driver.State) int {
	v := &r.values[n]
	v.Bytes, v.State = bytes, state
	switch {
	case state == driver.Unset:
		r.args[n] = gocql.UnsetValue
	case r.args[n] != any(v):
		r.args[n] = v
	}
	return n + 1
}

// grow returns a slice of length n: s itself if it is large enough.
func grow[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n+n/4)[:n]
	}
	return s[:n]
}
