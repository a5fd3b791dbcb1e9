package transfer

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
)

// remedy is what Repair does about one row. Its zero value is nothing.
type remedy struct {
	insert    bool // the whole row of the source
	writes    []valueWrite
	deletions []deletion
}

// valueWrite is a column, or some elements of one, that is written at times of its own.
type valueWrite struct {
	pair int // among the static or regular columns
	cell cell
}

// deletion deletes a row, a column or an element of the target at a time that was read there.
type deletion struct {
	pair    int    // -1 for the row
	element []byte // of a map, its key; of a set, the element; of a user-defined type, the field's name; nil for the column
	time    int64
}

func (r remedy) nothing() bool { return !r.insert && len(r.writes) == 0 && len(r.deletions) == 0 }

// decide says what is to be done about a row that was seen on both sides.
func (c *comparison) decide(v *viewPair, s seen, static bool, cfg *repairConfig) (r remedy) {
	switch {
	case s.cause == "":
		return r
	case !s.shown[0]: // only the target has it
		if cfg.deleteExtra {
			r.deletions = c.deleteAll(v, s, static)
		}
		return r
	case !s.shown[1]:
		r.insert = true
		return r
	}
	pairs := c.regular
	if static {
		pairs = c.static
	}
	lp, rp := v.left.places(static), v.right.places(static)
	for i := range pairs {
		a, b := cellOf(s.left, lp[i]), cellOf(s.right, rp[i])
		if c.cellCause(&pairs[i], a, b) == "" {
			continue
		}
		if a.value != nil && b.value != nil && pairs[i].byElement(a, b) {
			r.add(c.decideElements(&pairs[i], i, a, b, cfg))
			continue
		}
		r.add(c.decideCell(&pairs[i], i, a, b, cfg))
	}
	return r
}

func (r *remedy) add(w *valueWrite, deletions []deletion) {
	if w != nil {
		r.writes = append(r.writes, *w)
	}
	r.deletions = append(r.deletions, deletions...)
}

// decideCell decides about a value as a whole.
func (c *comparison) decideCell(p *columnPair, i int, l, r cell, cfg *repairConfig) (*valueWrite, []deletion) {
	switch c.cellCause(p, l, r) {
	case Extra:
		if cfg.deleteExtra && r.latest() != noTime {
			return nil, []deletion{{pair: i, time: r.latest()}}
		}
		return nil, nil
	case Missing, Differing:
		return &valueWrite{i, l}, nil
	case Tie:
		if cfg.bump && canBump(l, r) {
			return &valueWrite{i, bumped(l, r)}, nil
		}
	}
	return nil, nil
}

// canBump reports whether there is a time after those of two values.
func canBump(l, r cell) bool { return max(l.latest(), r.latest()) < math.MaxInt64 }

// bumped returns the source's value, with times that are later than those of both.
func bumped(l, r cell) cell {
	to := l
	to.writes = slices.Clone(l.writes)
	for i := range to.writes {
		to.writes[i] = max(l.latest(), r.latest()) + 1
	}
	return to
}

// decideElements decides about the elements of a map, a set or a user-defined type one by one.
func (c *comparison) decideElements(p *columnPair, i int, l, r cell, cfg *repairConfig) (write *valueWrite, deletions []deletion) {
	left, right := p.elements(l, false), p.elements(r, true)
	chosen := map[string]cell{}
	for key, a := range left {
		b, both := right[key]
		switch {
		case !both:
			chosen[key] = a
		case c.sameElement(p, key, a, b):
		case a.latest() > b.latest():
			chosen[key] = a
		case a.latest() == b.latest() && cfg.bump && canBump(a, b):
			chosen[key] = bumped(a, b)
		}
	}
	if len(chosen) > 0 {
		write = &valueWrite{i, p.gather(l, chosen)}
	}
	if cfg.deleteExtra {
		for key, b := range right {
			if _, both := left[key]; !both && b.latest() != noTime {
				d := deletion{pair: i, element: b.key, time: b.latest()}
				if p.right.Type.Kind == codec.UDT {
					d.element = []byte(key)
				}
				deletions = append(deletions, d)
			}
		}
	}
	return write, deletions
}

// gather makes a collection of the source of some of its elements, in their order. Fields of a
// user-defined type that are not chosen become null, which is not written.
func (p *columnPair) gather(from cell, chosen map[string]cell) (to cell) {
	t := p.left.Type
	if t.Kind == codec.UDT {
		for _, f := range t.Fields {
			e, ok := chosen[f.Name]
			to.value = appendElement(to.value, e.value)
			to.addTimes(e, ok)
		}
		return to
	}
	to.value = binary.BigEndian.AppendUint32(nil, uint32(len(chosen))) //nolint:gosec // no more than there are
	match := p.matching(false)
	eachElement(t, from.value, func(_ int, key, value []byte) {
		e, is := chosen[match(key)]
		if !is {
			return
		}
		to.value = appendElement(to.value, key)
		if t.Kind == codec.Map {
			to.value = appendElement(to.value, value)
		}
		to.addTimes(e, true)
	})
	return to
}

func (c *cell) addTimes(e cell, known bool) {
	write, expiry := int64(noTime), int64(noTime)
	if known && len(e.writes) > 0 {
		write = e.writes[0]
	}
	if known && len(e.expires) > 0 {
		expiry = e.expires[0]
	}
	c.writes, c.expires = append(c.writes, write), append(c.expires, expiry)
}

// appendElement appends a value with its length before it; -1 for null.
func appendElement(dst, value []byte) []byte {
	if value == nil {
		return binary.BigEndian.AppendUint32(dst, ^uint32(0))
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(value))), value...) //nolint:gosec // it came so
}

// deleteAll deletes a row of the target, or the static columns of a partition, at the latest write
// time in it. It does nothing where none can be read.
func (c *comparison) deleteAll(v *viewPair, s seen, static bool) (deletions []deletion) {
	latest := int64(noTime)
	for i, at := range v.right.places(static) {
		value := cellOf(s.right, at)
		t := value.latest()
		latest = max(latest, t)
		if static && t != noTime {
			deletions = append(deletions, deletion{pair: i, time: t})
		}
	}
	if static || latest == noTime {
		return deletions
	}
	return []deletion{{pair: -1, time: latest}}
}
