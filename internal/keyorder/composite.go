package keyorder

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"

	"github.com/rxcql/rxcql/internal/codec"
)

// ofCollection compares element by element, those of a map key and value in turn; then the shorter
// collection comes first.
func ofCollection(t *codec.Type) (Comparator, error) {
	elements, err := ofAll(t.Elems)
	if err != nil {
		return nil, err
	}
	return func(a, b []byte) int {
		if len(a) < 4 || len(b) < 4 {
			return cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
		}
		x, y := parts{rest: a[4:]}, parts{rest: b[4:]}
		for i := 0; !x.done() && !y.done(); i++ {
			if order := elements[i%len(elements)](x.next(), y.next()); order != 0 {
				return order
			}
		}
		return cmp.Compare(int32(binary.BigEndian.Uint32(a)), int32(binary.BigEndian.Uint32(b)))
	}, nil
}

// ofTuple compares element by element, null first. Elements that are missing at the end are null:
// those of a user-defined type that got fields later.
func ofTuple(t *codec.Type) (Comparator, error) {
	types := t.Elems
	for _, f := range t.Fields {
		types = append(types[:len(types):len(types)], f.Type)
	}
	elements, err := ofAll(types)
	if err != nil {
		return nil, err
	}
	return func(a, b []byte) int {
		if len(a) == 0 || len(b) == 0 {
			return cmp.Compare(len(a), len(b))
		}
		x, y := parts{rest: a}, parts{rest: b}
		for i := 0; !x.done() && !y.done() && i < len(elements); i++ {
			left, right := x.next(), y.next()
			switch {
			case left == nil && right == nil:
				continue
			case left == nil || right == nil:
				return cmp.Compare(present(left), present(right))
			}
			if order := elements[i](left, right); order != 0 {
				return order
			}
		}
		return cmp.Compare(x.values(), y.values())
	}, nil
}

// ofVector compares element by element.
func ofVector(t *codec.Type) (Comparator, error) {
	element, err := Of(t.Elems[0])
	if err != nil {
		return nil, err
	}
	packed := t.Elems[0].PackedLen()
	return func(a, b []byte) int {
		if len(a) == 0 || len(b) == 0 {
			return cmp.Compare(len(a), len(b))
		}
		x, y := parts{rest: a, packed: packed, vector: true}, parts{rest: b, packed: packed, vector: true}
		for !x.done() && !y.done() {
			if order := element(x.next(), y.next()); order != 0 {
				return order
			}
		}
		return cmp.Compare(x.values(), y.values())
	}, nil
}

func ofAll(types []*codec.Type) (all []Comparator, err error) {
	for _, t := range types {
		compare, err := Of(t)
		if err != nil {
			return nil, err
		}
		all = append(all, compare)
	}
	return all, nil
}

// parts takes a value apart: one element after the other, each behind its length. What is cut off
// is one element more.
type parts struct {
	rest   []byte
	vector bool
	packed int // length of an element without a length before it
}

func (p *parts) done() bool { return len(p.rest) == 0 }

// next returns the next element, nil for null.
func (p *parts) next() []byte {
	length := p.length()
	if length < 0 {
		return nil
	}
	element := p.rest[:min(length, len(p.rest)):min(length, len(p.rest))]
	p.rest = p.rest[len(element):]
	return element
}

// length reads the length of the next element, negative for null.
func (p *parts) length() int {
	switch {
	case p.packed > 0:
		return p.packed
	case p.vector:
		more := bits.LeadingZeros8(^p.rest[0])
		length := uint64(p.rest[0]) & (0xff >> more)
		p.rest = p.rest[1:]
		for range min(more, len(p.rest)) {
			length, p.rest = length<<8|uint64(p.rest[0]), p.rest[1:]
		}
		return int(min(length, uint64(len(p.rest)))) //nolint:gosec // a length of the rest
	case len(p.rest) < 4:
		return len(p.rest)
	}
	length := int(int32(binary.BigEndian.Uint32(p.rest)))
	p.rest = p.rest[4:]
	return length
}

// values returns 1 if any of the elements that are left is not null, else 0.
func (p *parts) values() int {
	for !p.done() {
		if p.next() != nil {
			return 1
		}
	}
	return 0
}
