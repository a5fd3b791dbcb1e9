package cqlfake

import (
	"bytes"
	"cmp"
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

// live reports whether a row is there: by its marker or by any of its cells.
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
	return false
}
