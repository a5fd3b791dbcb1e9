package cqlfake

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"github.com/rxcql/rxcql/internal/codec"
)

// cell is a value with its time, or the tombstone of one.
type cell struct {
	at      int64 // microseconds, as the client says
	value   []byte
	deleted bool
	ttl     int64 // seconds; 0 for ever
	expires int64 // second since 1970, of one with a ttl
}

// live reports whether the cell is read, where what is not newer than the timestamp
// is deleted.
func (c cell) live(deleted, now int64) bool {
	return c.at != none && c.at > deleted && !c.deleted && (c.ttl == 0 || now < c.expires)
}

// reconciled is the one of two cells that stays, as Cassandra's Cells.reconcile has it: the newer
// one; of two of one time a tombstone, then one that expires, then the one that does
// so later, then the greater value.
func reconciled(a, b cell) cell {
	rank := func(c cell) int {
		switch {
		case c.deleted:
			return 2
		case c.ttl != 0:
			return 1
		}
		return 0
	}
	if cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.expires, b.expires),
		cmp.Compare(b.ttl, a.ttl), bytes.Compare(a.value, b.value)) >= 0 {
		return a
	}
	return b
}

// live reports whether a row is there: by its marker or by any of its values.
func (r *row) live(deleted, now int64) bool {
	deleted = max(deleted, r.deleted)
	if r.marker.live(deleted, now) {
		return true
	}
	for _, c := range r.cells {
		if c.live(deleted, now) {
			return true
		}
	}
	for _, ps := range r.parts {
		if ps.live(deleted, now) {
			return true
		}
	}
	return false
}

// change is what a write does to a column of a row.
type change struct {
	column *column
	cell   cell
	adds   int64  // to a counter, in place of its value
	parts  []part // of a column that is kept so, in place of a cell
	clears int64  // what of the parts is not newer is deleted
}

func (r *row) apply(ch change) {
	c := ch.column
	old, there := r.cells[c]
	switch {
	case c.parted:
		if r.parts[c] == nil {
			r.parts[c] = &parts{deleted: none}
		}
		r.parts[c].write(c.typ, ch.clears, ch.parts)
	case c.typ.Kind == codec.Counter && ch.cell.deleted:
		r.cells[c] = ch.cell
	case c.typ.Kind == codec.Counter:
		if there && !old.deleted {
			ch.adds += signed(old.value)
		}
		r.cells[c] = cell{at: max(ch.cell.at, old.at), value: binary.BigEndian.AppendUint64(nil, uint64(ch.adds))}
	case there:
		r.cells[c] = reconciled(ch.cell, old)
	default:
		r.cells[c] = ch.cell
	}
}
