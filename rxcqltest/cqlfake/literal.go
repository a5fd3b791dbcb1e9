package cqlfake

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
)

// literal reads a constant of several values: [1, 2], {1, 2}, {'a': 1}, {street: 'x'} or (1, 'x').
func (p *parser) literal(of *table, name string, typ *codec.Type) *term {
	t := &term{typ: typ, marker: -1}
	err := caught(func() { t.value.Bytes = checked(typ, p.values(of, typ)) })
	switch {
	case err == nil:
		return t
	case strings.Contains(err.GetErrorMessage(), "cqlfake does not know"):
		refuse(err)
	}
	refuse(unknown("what a server says of this constant for %q, which is no %s; bind a value", name, typ))
	return nil
}

// values are the bytes of a literal.
func (p *parser) values(of *table, typ *codec.Type) []byte {
	one := func(t *codec.Type) []byte {
		v := p.term(of, "", t)
		if v.marker >= 0 {
			refuse(unknown("bind markers inside of constants; bind the whole value"))
		}
		return v.value.Bytes
	}
	open, closing := p.brackets(typ)
	p.need(open)
	var all [][]byte
	fields := make([][]byte, len(typ.Fields))
	count := 0
	for more := !p.take(closing); more; more = !p.take(closing) {
		if count++; count > 1 {
			p.need(",")
		}
		switch typ.Kind {
		case codec.UDT:
			field := p.name()
			i := slices.IndexFunc(typ.Fields, func(f codec.Field) bool { return f.Name == field })
			if i < 0 {
				refuse(unknown("the field %s of %s", field, typ))
			}
			p.need(":")
			fields[i] = one(typ.Fields[i].Type)
		case codec.Map:
			key := one(typ.Elems[0])
			p.need(":")
			all = append(all, key, one(typ.Elems[1]))
		case codec.Tuple:
			if count > len(typ.Elems) {
				refuse(unknown("more values than %s has", typ))
			}
			all = append(all, one(typ.Elems[count-1]))
		default:
			all = append(all, one(typ.Elems[0]))
		}
	}
	switch typ.Kind {
	case codec.UDT:
		if count == 0 {
			refuse(unknown("a constant of type %s without any fields", typ))
		}
		return appended([]byte{}, fields)
	case codec.Tuple:
		return appended([]byte{}, all)
	}
	return appended(binary.BigEndian.AppendUint32(nil, uint32(count)), all)
}

// brackets are those around the constants of a type.
func (p *parser) brackets(typ *codec.Type) (open, closing string) {
	switch typ.Kind {
	case codec.List:
		return "[", "]"
	case codec.Set, codec.Map, codec.UDT:
		return "{", "}"
	case codec.Tuple:
		return "(", ")"
	case codec.Vector:
		refuse(unknown("constants of type %s; bind a value", typ))
	}
	p.unexpected()
	return "", ""
}
