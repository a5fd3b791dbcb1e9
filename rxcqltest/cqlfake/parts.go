package cqlfake

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
)

// parts is the value of a collection, or of a user-defined type, that is not frozen. Each of its
// elements has a time of its own: two values that were written at the same time become one.
type parts struct {
	deleted int64
	all     []part // in the order of their paths; those of a list as they came
}

// part is an element of a collection, or a field.
type part struct {
	path []byte // the element of a set, the key of a map, the number of a field
	cell cell
}

// split takes the value of a cell apart, whose bytes are valid.
func split(t *codec.Type, whole cell) (all []part) {
	b := whole.value
	take := func() []byte { // nil for a null
		n := int(int32(binary.BigEndian.Uint32(b)))
		if b = b[4:]; n < 0 {
			return nil
		}
		taken := b[:n:n]
		b = b[n:]
		return taken
	}
	add := func(path, value []byte) {
		one := whole
		one.value = value
		all = append(all, part{path, one})
	}
	if t.Kind == codec.UDT {
		for i := 0; len(b) > 0; i++ {
			if value := take(); value != nil {
				add(binary.BigEndian.AppendUint16(nil, uint16(i)), value)
			}
		}
		return all
	}
	if len(b) == 0 {
		refuse(unknown("an empty value of type %s", t))
	}
	count := int(binary.BigEndian.Uint32(b))
	b = b[4:]
	for range count {
		switch first := take(); t.Kind {
		case codec.List:
			add(nil, first)
		case codec.Set:
			add(first, nil)
		default:
			add(first, take())
		}
	}
	return all
}

// write deletes what is not newer than a time, and adds others.
func (ps *parts) write(t *codec.Type, deleted int64, added []part) {
	ps.deleted = max(ps.deleted, deleted)
	order := bytes.Compare
	if t.Kind == codec.Set || t.Kind == codec.Map {
		order = compare(t.Elems[0])
	}
	ps.all = slices.DeleteFunc(ps.all, func(p part) bool { return p.cell.at <= ps.deleted })
	for _, p := range added {
		if p.cell.at <= ps.deleted {
			continue
		}
		i, found := len(ps.all), false
		if t.Kind != codec.List {
			i, found = slices.BinarySearchFunc(ps.all, p.path, func(old part, path []byte) int { return order(old.path, path) })
		}
		if found {
			ps.all[i].cell = reconciled(p.cell, ps.all[i].cell)
		} else {
			ps.all = slices.Insert(ps.all, i, p)
		}
	}
}

// live reports whether any of the parts is.
func (ps *parts) live(deleted, now int64) bool {
	return slices.ContainsFunc(ps.all, func(p part) bool { return p.cell.live(deleted, now) })
}

// newest is the time of the latest write.
func (ps *parts) newest() int64 {
	at := ps.deleted
	for _, p := range ps.all {
		at = max(at, p.cell.at)
	}
	return at
}

// value puts the parts together that are live; nil if none is.
func (ps *parts) value(t *codec.Type, deleted, now int64) []byte {
	if !ps.live(deleted, now) {
		return nil
	}
	if t.Kind == codec.UDT {
		fields := make([][]byte, len(t.Fields))
		for _, p := range ps.all {
			if p.cell.live(deleted, now) {
				fields[binary.BigEndian.Uint16(p.path)] = p.cell.value
			}
		}
		return appended(nil, fields)
	}
	count := uint32(0)
	b := make([]byte, 4)
	for _, p := range ps.all {
		if !p.cell.live(deleted, now) {
			continue
		}
		count++
		switch t.Kind {
		case codec.List:
			b = appended(b, [][]byte{p.cell.value})
		case codec.Set:
			b = appended(b, [][]byte{p.path})
		default:
			b = appended(b, [][]byte{p.path, p.cell.value})
		}
	}
	binary.BigEndian.PutUint32(b, count)
	return b
}
