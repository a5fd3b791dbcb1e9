package cqlfake

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
)

// arranged puts the elements of a set, and the entries of a map, into their order, each once, in
// the value and in what is inside it, except in a user-defined type. The bytes are valid.
func arranged(t *codec.Type, b []byte) []byte {
	take := func(width int) []byte {
		taken := b[:width:width]
		b = b[width:]
		return taken
	}
	length := func() int { return int(int32(binary.BigEndian.Uint32(take(4)))) }
	element := func(t *codec.Type) []byte {
		n := length()
		if n < 0 {
			refuse(unknown("nulls in collections and tuples"))
		}
		return checked(t, take(n))
	}
	var entries [][][]byte
	switch t.Kind {
	case codec.Vector:
		if compare(t.Elems[0]) == nil {
			refuse(unknown("vectors of %s", t.Elems[0]))
		}
		return b
	case codec.UDT: // nobody looks into its fields
		return b
	case codec.Tuple:
		entry := [][]byte{}
		for _, e := range t.Elems {
			entry = append(entry, element(e))
		}
		return appended(nil, entry)
	default:
		for range length() {
			entry := [][]byte{}
			for _, e := range t.Elems {
				entry = append(entry, element(e))
			}
			entries = append(entries, entry)
		}
	}
	if t.Kind != codec.List {
		order := compare(t.Elems[0])
		// A later entry of one key counts.
		slices.Reverse(entries)
		slices.SortStableFunc(entries, func(a, b [][]byte) int { return order(a[0], b[0]) })
		entries = slices.CompactFunc(entries, func(a, b [][]byte) bool { return order(a[0], b[0]) == 0 })
	}
	all := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
	for _, entry := range entries {
		all = appended(all, entry)
	}
	return all
}

// elements are those of a list.
func elements(t *codec.Type, b []byte) (all [][]byte) {
	validate(t, b)
	if len(b) == 0 {
		refuse(unknown("an empty value of type %s", t))
	}
	n := int(binary.BigEndian.Uint32(b))
	for b = b[4:]; n > 0; n-- {
		length := int(int32(binary.BigEndian.Uint32(b)))
		if b = b[4:]; length < 0 {
			refuse(unknown("nulls in collections and tuples"))
		}
		all = append(all, b[:length:length])
		b = b[length:]
	}
	return all
}

// appended writes values with their lengths, and -1 for a null.
func appended(dst []byte, cells [][]byte) []byte {
	for _, cell := range cells {
		length := uint32(len(cell))
		if cell == nil {
			length = math.MaxUint32
		}
		dst = append(binary.BigEndian.AppendUint32(dst, length), cell...)
	}
	return dst
}
