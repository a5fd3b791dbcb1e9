package transfer

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// remove deletes what only the target has, unless the source has it by now. The source is read
// after the time on the target was: what is written to both sides between two readings looks as if
// only the target had it, to whom reads the source first.
func (j *RepairJob) remove(ctx context.Context, rows *rowPair, w repairWrite) error {
	row, found, err := rows.left.read(ctx, w.from, w.static)
	switch {
	case err != nil:
		if _, unread := unreadable(err); unread {
			return nil // the outcome will say so
		}
		return fmt.Errorf("source: %w", err)
	case found && rows.has(row, w):
		return nil
	}
	return j.delete(ctx, rows.c, w)
}

// has reports whether a row of the source has what a deletion is about.
func (p *rowPair) has(row rxcql.Row, w repairWrite) (has bool) {
	if w.del.pair < 0 {
		return true
	}
	p.with(&seen{left: row, hasLeft: true}, func(v *viewPair) {
		pairs := p.c.regular
		if w.static {
			pairs = p.c.static
		}
		own := cellOf(row, v.left.places(w.static)[w.del.pair])
		if has = own.value != nil; has && w.del.element != nil {
			pair := &pairs[w.del.pair]
			key := string(w.del.element)
			if pair.right.Type.Kind != codec.UDT {
				key = pair.matching(true)(w.del.element)
			}
			_, has = pair.elements(own, false)[key]
		}
	})
	return has
}

// delete deletes at the time that was read. To do it again does no harm.
func (j *RepairJob) delete(ctx context.Context, c *comparison, w repairWrite) error {
	pairs := c.regular
	if w.static {
		pairs = c.static
	}
	what, args := "", []any(nil)
	bind := func(t terms) {
		for _, value := range t.values {
			args = append(args, &driver.Value{Bytes: value})
		}
	}
	if w.del.pair >= 0 {
		column := pairs[w.del.pair].right
		what = schema.Quote(column.Name) + " "
		switch {
		case w.del.element == nil:
		case column.Type.Kind == codec.UDT:
			what = schema.Quote(column.Name) + "." + schema.Quote(string(w.del.element)) + " "
		default:
			var of terms
			text, err := of.term(column.Type.Elems[0], w.del.element)
			if err != nil {
				return fmt.Errorf("an element of column %q: %w", column.Name, err)
			}
			what = schema.Quote(column.Name) + "[" + text + "] "
			bind(of)
		}
	}
	// The element's marker comes first in the text, then the time, then the key.
	args = append(args, &driver.Value{Bytes: binary.BigEndian.AppendUint64(nil, uint64(w.del.time))}) //nolint:gosec // its bits
	columns := make([]schema.Column, len(w.key))
	for i := range columns {
		columns[i] = c.key[i].right
	}
	key, err := termsOf(columns, w.key)
	if err != nil {
		return fmt.Errorf("a key of %s: %w", c.right.Quoted(), err)
	}
	bind(key)
	st := driver.Statement{
		CQL:  fmt.Sprintf("DELETE %sFROM %s USING TIMESTAMP ? WHERE %s", what, c.right.Quoted(), key.where(columns)),
		Args: args, Consistency: j.consistency(), Idempotent: true,
	}
	return rxcql.Retry(ctx, rxcql.MayPass, func() error { return j.right.session.Exec(ctx, st) })
}
