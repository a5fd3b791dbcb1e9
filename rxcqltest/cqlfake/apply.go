package cqlfake

import (
	"math"
	"time"
)

// maxTTL is 20 years, the longest that a server takes.
const maxTTL = 20 * 365 * 24 * 60 * 60

// lastExpiry is the second after which only some servers let a value expire.
var lastExpiry = time.Date(2038, 1, 19, 3, 14, 6, 0, time.UTC).Unix()

// prepare looks at the values of a call and returns what writes them.
func (m *mutation) prepare(c *call) func() {
	partition := m.keyCells(c, m.table.partition)
	if len(partition) == 1 && len(partition[0]) == 0 {
		refuse(invalid("Key may not be empty"))
	}
	var clustering [][]byte
	whole, rowless := m.whole(), m.rowless()
	if !rowless {
		clustering = m.keyCells(c, m.table.clustering)
	}
	at := m.time(c)
	ttl, expires := m.expiry(c)
	var changes []change
	for _, a := range m.set {
		if ch, set := a.change(c, at, ttl, expires); set {
			changes = append(changes, ch)
		}
	}
	m.neverDeleted(partition, clustering, changes)
	return func() {
		p := m.table.make(partition)
		if whole {
			p.deleted = max(p.deleted, at)
			return
		}
		var r *row
		if !rowless {
			r = m.table.row(p, clustering)
			if m.deletes && m.set == nil {
				r.deleted = max(r.deleted, at)
			}
			if m.inserts {
				r.marker = reconciled(cell{at: at, ttl: ttl, expires: expires}, r.marker)
			}
		}
		for _, ch := range changes {
			if ch.column.static {
				if p.static == nil {
					p.static = newRow(nil)
				}
				p.static.apply(ch)
				continue
			}
			r.apply(ch)
		}
	}
}

// change is what the assignment does in a call. There is none of a value that is unset.
func (a assignment) change(c *call, at, ttl, expires int64) (ch change, set bool) {
	ch = change{column: a.column, cell: cell{at: at, deleted: true}, clears: at}
	if a.term == nil {
		return ch, true
	}
	v := a.term.of(c)
	switch {
	case v.Unset:
		return ch, false
	case a.adds != 0:
		ch.cell.deleted, ch.adds = false, a.count(v)
		return ch, true
	}
	ch.clears-- // what replaces a value deletes what is older, and a write of the same time stays
	if v.null() {
		return ch, true
	}
	made := cell{at: at, value: checked(a.column.typ, v.Bytes), ttl: ttl, expires: expires}
	if a.column.parted {
		ch.parts = split(a.column.typ, made)
	} else {
		ch.cell = made
	}
	return ch, true
}

// keyCells are values of the key, none of which may be missing.
func (m *mutation) keyCells(c *call, columns []*column) [][]byte {
	cells := make([][]byte, len(columns))
	for i, col := range columns {
		cells[i] = keyCell(col, m.key[col].of(c))
	}
	return cells
}

func keyCell(c *column, v Value) []byte {
	switch {
	case v.Unset:
		refuse(invalid("Invalid unset value for column %s", c.name))
	case v.null():
		refuse(invalid("Invalid null value in condition for column %s", c.name))
	}
	cell := checked(c.typ, v.Bytes)
	if len(cell) > math.MaxUint16 {
		refuse(invalid("Key length of %d is longer than maximum of %d", len(cell), math.MaxUint16))
	}
	return cell
}

// time is the timestamp of the write.
func (m *mutation) time(c *call) int64 {
	at, given := m.timestamp.integer(c, "timestamp", func() int64 {
		refuse(invalid("Invalid null value of timestamp"))
		return 0
	})
	if !given {
		at = c.timestamp
	}
	if at == none {
		refuse(invalid("The out of bound value %d is not a valid timestamp", at))
	}
	return at
}

// expiry is the time to live and the second when it ends.
func (m *mutation) expiry(c *call) (ttl, expires int64) {
	ttl, given := m.ttl.integer(c, "TTL", func() int64 { return 0 })
	switch {
	case m.deletes:
		return 0, 0
	case !given:
		ttl = m.table.ttl
	case ttl < 0:
		refuse(invalid("A TTL must be greater or equal to 0, but was %d", ttl))
	case ttl > maxTTL:
		refuse(invalid("ttl is too large. requested (%d) maximum (%d)", ttl, maxTTL))
	}
	if ttl == 0 {
		return 0, 0
	}
	if expires = c.now.Unix() + ttl; expires > lastExpiry {
		refuse(unknown("whether a server takes a TTL that ends after 2038, which its storage_compatibility_mode decides"))
	}
	return ttl, expires
}
