package transfer

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

// equal reports whether the regular columns of two rows are equal, or the static ones of their
// partitions.
func (c *comparison) equal(left, right *view, l, r rxcql.Row, static bool) bool {
	pairs := c.regular
	if static {
		pairs = c.static
	}
	lp, rp := left.places(static), right.places(static)
	for i := range pairs {
		if !pairs[i].sameValue(l.Bytes(lp[i].value), r.Bytes(rp[i].value)) {
			return false
		}
		if c.times && pairs[i].expires() && !c.sameCells(&pairs[i], l, r, lp[i], rp[i]) {
			return false
		}
	}
	return true
}

// sameValue compares two encoded values.
func (p *columnPair) sameValue(l, r []byte) bool {
	if (l == nil) != (r == nil) {
		return false
	}
	if bytes.Equal(l, r) && (!p.normal || p.left.Type.Kind == p.right.Type.Kind) {
		return true
	}
	return p.normal && sameText(p.left.Type, l, p.right.Type, r)
}

// sameText compares values of which equal ones may have other bytes.
func sameText(lt *codec.Type, l []byte, rt *codec.Type, r []byte) bool {
	left, errL := codec.AppendText(nil, lt, l)
	right, errR := codec.AppendText(nil, rt, r)
	return errL == nil && errR == nil && bytes.Equal(left, right)
}

// sameCells is samePair of two rows. Most of them have the same bytes, which need no decoding.
func (c *comparison) sameCells(p *columnPair, l, r rxcql.Row, lp, rp cellPlace) bool {
	if lp.writes < 0 || rp.writes < 0 {
		return true
	}
	if bytes.Equal(l.Bytes(lp.writes), r.Bytes(rp.writes)) && bytes.Equal(l.Bytes(lp.expires), r.Bytes(rp.expires)) {
		return true
	}
	return c.samePair(p, cell{writes: row64(l, lp.writes), expires: row64(l, lp.expires)}, cell{writes: row64(r, rp.writes), expires: row64(r, rp.expires)})
}

// samePair compares the times of equal values of a column: of lists that are not frozen only when
// the elements expire.
func (c *comparison) samePair(p *columnPair, l, r cell) bool {
	if p.timed() {
		return c.sameTimes(l.writes, r.writes, l.expires, r.expires)
	}
	return l.expires == nil || r.expires == nil || nearExpiry(l.expires, r.expires, c.expiryWithin)
}

// sameTimes compares write times, and expiry, as far as both sides say them.
func (c *comparison) sameTimes(lw, rw, le, re []int64) bool {
	if lw == nil || rw == nil {
		return true
	}
	return near(lw, rw, c.writesWithin.Microseconds()) && (le == nil || re == nil || nearExpiry(le, re, c.expiryWithin))
}

// noTime stands for a null among write times, and for never among expiries. Any other number may be
// a write time, also 0 and those before 1970: the server refuses this one alone.
const noTime = math.MinInt64

func near(a, b []int64, within int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if (a[i] == noTime) != (b[i] == noTime) {
			return false
		}
		low, high := min(a[i], b[i]), max(a[i], b[i])
		if uint64(high)-uint64(low) > uint64(within) { //nolint:gosec // as unsigned the distance cannot overflow
			return false
		}
	}
	return true
}

// nearExpiry compares expiry in seconds, where noTime is never.
func nearExpiry(a, b []int64, within time.Duration) bool {
	return near(a, b, int64((within+time.Second-1)/time.Second))
}

// row64 returns the numbers in a column of source.Times: one, or those of the elements, with noTime
// for null. It returns nil if the row does not say them.
func row64(row rxcql.Row, at int) []int64 {
	if at < 0 || at >= row.Len() {
		return nil
	}
	cell := row.Bytes(at)
	if row.Columns().List()[at].Type.Kind != codec.List {
		return []int64{number64(cell)}
	}
	if len(cell) < 4 {
		return []int64{}
	}
	n := int(binary.BigEndian.Uint32(cell)) //nolint:gosec // checked by what is there
	cell = cell[4:]
	all := make([]int64, 0, min(n, len(cell)/4))
	for range n {
		part, rest, ok := element(cell)
		if !ok {
			break
		}
		all, cell = append(all, number64(part)), rest
	}
	return all
}

func number64(cell []byte) int64 {
	if len(cell) != 8 {
		return noTime
	}
	return int64(binary.BigEndian.Uint64(cell)) //nolint:gosec // its bits
}

// element takes a value with its length off the front of an encoded collection.
func element(cell []byte) (value, rest []byte, ok bool) {
	if len(cell) < 4 {
		return nil, nil, false
	}
	n := int32(binary.BigEndian.Uint32(cell)) //nolint:gosec // its bits
	cell = cell[4:]
	if n < 0 {
		return nil, cell, true
	}
	if int(n) > len(cell) {
		return nil, nil, false
	}
	return cell[:n:n], cell[n:], true
}
