package transfer

import (
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// byElement reports whether two collections can be compared element by element.
func (p *columnPair) byElement(l, r cell) bool {
	return p.timed() && multiCell(p.left.Type) && len(l.writes) > 0 && len(r.writes) > 0
}

// elementCause compares the elements of two collections, or the fields of two values of a
// user-defined type, that differ.
func (c *comparison) elementCause(p *columnPair, l, r cell) (cause Cause) {
	left, right := p.elements(l, false), p.elements(r, true)
	for key, a := range left {
		b, both := right[key]
		switch {
		case !both:
			cause = foremost(cause, Missing)
		case !c.sameElement(p, key, a, b):
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

// sameElement compares two elements of one key: their values and, if these are compared, their
// times.
func (c *comparison) sameElement(p *columnPair, key string, a, b cell) bool {
	return p.sameElementValue(key, a.value, b.value) && (!c.times || c.sameTimes(a.writes, b.writes, a.expires, b.expires))
}

func (p *columnPair) sameElementValue(key string, l, r []byte) bool {
	lt, rt := p.left.Type, p.right.Type
	switch lt.Kind {
	case codec.Map:
		return elementPair(lt.Elems[1], rt.Elems[1]).sameValue(l, r)
	case codec.UDT:
		for i, f := range lt.Fields {
			if f.Name == key {
				return elementPair(f.Type, rt.Fields[i].Type).sameValue(l, r)
			}
		}
		return false
	default: // a set: the key is all that there is
		return true
	}
}

// elementPair compares values of two types that a collection has on both sides.
func elementPair(l, r *codec.Type) *columnPair {
	_, normal := sameValues(l, r)
	return &columnPair{left: schema.Column{Type: l}, right: schema.Column{Type: r}, normal: normal}
}

// matching returns what tells by which bytes the elements of one side are matched with those of the
// other: those of the key of a map, or of the element of a set. Where types differ (an int and a
// bigint), these are the bytes of its text.
func (p *columnPair) matching(right bool) func(key []byte) string {
	own, other := p.of(right).Type.Elems[0], p.of(!right).Type.Elems[0]
	if _, normal := sameValues(own, other); !normal {
		return func(key []byte) string { return string(key) }
	}
	return func(key []byte) string {
		text, err := codec.AppendText(nil, own, key)
		if err != nil { // no value of the type: it has no partner
			return "\x00" + string(key)
		}
		return string(text)
	}
}

// elements returns the elements of a collection of one side, or the fields of a user-defined type
// that are not null, by what they are matched by: see matching; a field by its name.
func (p *columnPair) elements(c cell, right bool) map[string]cell {
	all := map[string]cell{}
	t := p.of(right).Type
	if t.Kind == codec.UDT {
		rest := c.value
		for i, f := range t.Fields {
			value, after, ok := element(rest)
			if !ok {
				break
			}
			if rest = after; value != nil {
				e := c.element(i)
				e.value = value
				all[f.Name] = e
			}
		}
		return all
	}
	match := p.matching(right)
	eachElement(t, c.value, func(i int, key, value []byte) {
		e := c.element(i)
		e.key, e.value = key, value
		all[match(key)] = e
	})
	return all
}

// eachElement calls fn with the elements of a map, or of a set: there the key is the value.
func eachElement(t *codec.Type, value []byte, fn func(i int, key, value []byte)) {
	if len(value) < 4 {
		return
	}
	for i, rest := 0, value[4:]; len(rest) > 0; i++ {
		key, after, ok := element(rest)
		if !ok {
			return
		}
		value := key
		if t.Kind == codec.Map {
			if value, after, ok = element(after); !ok {
				return
			}
		}
		fn(i, key, value)
		rest = after
	}
}
