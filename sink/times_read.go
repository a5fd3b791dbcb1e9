package sink

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// readsLists reports whether lists that the table has can be read before others are written:
// servers tell the write times of elements from Cassandra 5.0 on.
func (t *table[T]) readsLists(ctx context.Context, about *schema.Table) (bool, error) {
	list := func(c schema.Column) bool { return c.Type.Kind == codec.List && !c.Type.Frozen }
	if t.cfg.times == nil || !slices.ContainsFunc(about.Columns, list) {
		return false, nil
	}
	var version string
	err := rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		version, err = t.session.Version(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sink.%s: %w", t.stage(), err)
	}
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 5, nil
}

// holdLists reads what the table has of the lists of rows, and decides which of them are written.
// All other parts of the rows have been.
func (w *cqlWire) holdLists(ctx context.Context, b *batch, from, to int, now int64) error {
	for i := from; i < to; i++ {
		row := &b.timed.rows[i]
		if row.reads == nil {
			continue
		}
		held, found, err := w.readLists(ctx, b, i)
		if driver.Classify(err) == driver.TooManyTombstones {
			continue // nothing can be known, and to leave the list out would lose it
		}
		if err != nil {
			return err
		}
		gone := !found && w.readsOwnWrites() && b.writesRest(i, now)
		if err := b.weighLists(i, held, gone, now); err != nil {
			return err
		}
	}
	return nil
}

// readLists reads the lists of a row, or of a partition.
func (w *cqlWire) readLists(ctx context.Context, b *batch, i int) (held []heldList, found bool, err error) {
	row := &b.timed.rows[i]
	first, _ := b.cells(i)
	values := make([]driver.Value, row.bound)
	start := int32(0)
	if first > 0 {
		start = b.ends[first-1].at
	}
	for k := range values {
		e := b.ends[first+k]
		values[k] = driver.Value{Bytes: b.buf[start:e.at:e.at], State: e.state}
		start = e.at
	}
	st := driver.Statement{
		CQL: row.reads.sent, Args: driver.Bind(nil, values), Encoding: row.reads.aim.encoding, Consistency: w.reading(), Idempotent: true,
	}
	for state := []byte(nil); ; {
		page, err := w.session.Fetch(ctx, st, 2, state) // more than the LIMIT: see facts of page states
		if err != nil {
			return nil, false, err
		}
		cells := make([][]byte, len(page.Columns()))
		found = page.Scan(cells)
		if err := page.Err(); err != nil {
			return nil, false, err
		}
		if state = page.Next(); found || state == nil {
			for k := 0; k+1 < len(cells); k += 2 {
				if !found {
					cells[k] = nil
				}
				h, err := readHeld(cells[k], cells[k+1])
				if err != nil {
					return nil, false, err
				}
				held = append(held, h)
			}
			return held, found, nil
		}
	}
}

// reading returns the consistency of reads: that of writes, but one that reads do not have.
func (w *cqlWire) reading() *gocql.Consistency {
	if w.consistency != nil && *w.consistency == gocql.Any {
		one := gocql.One
		return &one
	}
	return w.consistency
}

// readsOwnWrites reports whether a read sees what was written before, on any number of replicas.
func (w *cqlWire) readsOwnWrites() bool {
	switch w.session.Consistency(w.consistency) {
	case "QUORUM", "LOCAL_QUORUM", "EACH_QUORUM", "ALL":
		return true
	}
	return false
}

// writesRest reports whether something of a row was written that makes it one that can be read.
func (b *batch) writesRest(i int, now int64) bool {
	t := &b.timed
	return slices.ContainsFunc(t.writes[t.first(i):t.rows[i].after], func(w timedWrite) bool {
		return w.list == 0 && (w.expires == never || w.expires > now+1)
	})
}
