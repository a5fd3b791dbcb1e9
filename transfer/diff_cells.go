package transfer

import (
	"bytes"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

// cell is a column of a row, with what the server says of it.
type cell struct {
	value   []byte
	writes  []int64 // one, or those of the elements; nil if not known
	expires []int64 // likewise
}

func cellOf(row rxcql.Row, at cellPlace) cell {
	return cell{value: row.Bytes(at.value), writes: row64(row, at.writes), expires: row64(row, at.expires)}
}

// latest returns the latest write time; 0 if none is known.
func (c cell) latest() int64 {
	if len(c.writes) == 0 || c.value == nil {
		return 0
	}
	return slices.Max(c.writes)
}

// latestExpiry returns when the last element expires; 0 for never, and if it is not known.
func (c cell) latestExpiry() int64 {
	if len(c.expires) == 0 || slices.Contains(c.expires, 0) {
		return 0
	}
	return slices.Max(c.expires)
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
		d := ColumnDifference{Name: pairs[i].left.Name, Cause: why, SourceTime: a.latest(), TargetTime: b.latest()}
		if d.SourceTime == d.TargetTime {
			d.SourceExpires, d.TargetExpires = a.latestExpiry(), b.latestExpiry()
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
		if !c.times || !p.timed() || c.sameTimes(l.writes, r.writes, l.expires, r.expires) {
			return ""
		}
		return c.timesCause(l, r)
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
func (c *comparison) timesCause(l, r cell) (cause Cause) {
	if len(l.writes) != len(r.writes) {
		return Differing
	}
	for i := range l.writes {
		a, b := l.element(i), r.element(i)
		if !c.sameTimes(a.writes, b.writes, a.expires, b.expires) {
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

// byElement reports whether two collections can be compared element by element.
func (p *columnPair) byElement(l, r cell) bool {
	return p.timed() && multiCell(p.left.Type) && len(l.writes) > 0 && len(r.writes) > 0
}

// elementCause compares the elements of two collections, or the fields of two values of a
// user-defined type, that differ.
func (c *comparison) elementCause(p *columnPair, l, r cell) (cause Cause) {
	left, right := elements(p.left.Type, l), elements(p.right.Type, r)
	for key, a := range left {
		b, both := right[key]
		switch {
		case !both:
			cause = foremost(cause, Missing)
		case !bytes.Equal(a.value, b.value),
			c.times && !c.sameTimes(a.writes, b.writes, a.expires, b.expires):
			cause = foremost(cause, byTime(a.latest(), b.latest()))
		}
	}
	for key := range right {
		if _, both := left[key]; !both {
			cause = foremost(cause, Extra)
		}
	}
	if cause == "" { // they differ in their form only; be careful and say so
		return Differing
	}
	return cause
}

// elements returns the elements of a collection, or the fields of a user-defined type that are not
// null, by their key: that of the map, the element of the set, the name of the field.
func elements(t *codec.Type, c cell) map[string]cell {
	all := map[string]cell{}
	add := func(key string, value []byte, i int) {
		e := c.element(i)
		e.value = value
		all[key] = e
	}
	rest := c.value
	if t.Kind == codec.UDT {
		for i, f := range t.Fields {
			value, after, ok := element(rest)
			if !ok {
				break
			}
			if rest = after; value != nil {
				add(f.Name, value, i)
			}
		}
		return all
	}
	if len(rest) < 4 {
		return all
	}
	rest = rest[4:]
	for i := 0; len(rest) > 0; i++ {
		key, after, ok := element(rest)
		if !ok {
			break
		}
		value := key
		if t.Kind == codec.Map {
			if value, after, ok = element(after); !ok {
				break
			}
		}
		add(string(key), value, i)
		rest = after
	}
	return all
}
