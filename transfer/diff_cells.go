package transfer

import (
	"slices"

	"github.com/rxcql/rxcql"
)

// cell is a column of a row, with what the server says of it.
type cell struct {
	value   []byte
	writes  []int64 // one, or those of the elements; nil if not known
	expires []int64 // likewise

	key []byte // of an element of a map or a set: its key, as its side encodes it
}

func cellOf(row rxcql.Row, at cellPlace) cell {
	return cell{value: row.Bytes(at.value), writes: row64(row, at.writes), expires: row64(row, at.expires)}
}

// latest returns the latest write time; noTime if none is known.
func (c cell) latest() int64 {
	if len(c.writes) == 0 || c.value == nil {
		return noTime
	}
	return slices.Max(c.writes)
}

// latestExpiry returns when the last element expires; noTime for never, and if it is not known.
func (c cell) latestExpiry() int64 {
	if len(c.expires) == 0 || slices.Contains(c.expires, noTime) {
		return noTime
	}
	return slices.Max(c.expires)
}

// shown returns a time as a Difference has it.
func shown(t int64) int64 {
	if t == noTime {
		return 0
	}
	return t
}

// differences returns the columns of two rows that differ, and the cause of the whole: empty if
// none does.
func (c *comparison) differences(left, right *view, l, r rxcql.Row, static bool) (cause Cause, columns []ColumnDifference) {
	pairs := c.regular
	if static {
		pairs = c.static
	}
	lp, rp := left.places(static), right.places(static)
	for i := range pairs {
		a, b := cellOf(l, lp[i]), cellOf(r, rp[i])
		why := c.cellCause(&pairs[i], a, b)
		if why == "" {
			continue
		}
		d := ColumnDifference{Name: pairs[i].left.Name, Cause: why, SourceTime: shown(a.latest()), TargetTime: shown(b.latest())}
		if a.latest() == b.latest() {
			d.SourceExpires, d.TargetExpires = shown(a.latestExpiry()), shown(b.latestExpiry())
		}
		columns = append(columns, d)
		cause = foremost(cause, why)
	}
	return cause, columns
}

// foremost returns which of two causes a row has of which columns have them.
func foremost(a, b Cause) Cause {
	for _, cause := range []Cause{Missing, Differing, Extra, Tie, Newer} {
		if a == cause || b == cause {
			if cause == Missing { // a column, and so the row differs
				return Differing
			}
			return cause
		}
	}
	return ""
}

// cellCause says how a column differs; empty if it does not.
func (c *comparison) cellCause(p *columnPair, l, r cell) Cause {
	if p.sameValue(l.value, r.value) {
		if !c.times || !p.expires() || c.samePair(p, l, r) {
			return ""
		}
		return c.timesCause(p, l, r)
	}
	switch {
	case l.value == nil:
		return Extra
	case r.value == nil:
		return Missing
	case p.byElement(l, r):
		return c.elementCause(p, l, r)
	case len(l.writes) == 0 || len(r.writes) == 0:
		return Differing // nobody knows which is newer
	}
	return byTime(l.latest(), r.latest())
}

func byTime(l, r int64) Cause {
	switch {
	case l > r:
		return Differing
	case l < r:
		return Newer
	}
	return Tie
}

// timesCause says how the times of equal values differ, element by element.
func (c *comparison) timesCause(p *columnPair, l, r cell) (cause Cause) {
	if len(l.writes) != len(r.writes) {
		return Differing
	}
	for i := range l.writes {
		a, b := l.element(i), r.element(i)
		if !c.samePair(p, a, b) {
			cause = foremost(cause, byTime(a.writes[0], b.writes[0]))
		}
	}
	return cause
}

// element returns the times of element i.
func (c cell) element(i int) (e cell) {
	if i < len(c.writes) {
		e.writes = c.writes[i : i+1]
	}
	if i < len(c.expires) {
		e.expires = c.expires[i : i+1]
	}
	return e
}
