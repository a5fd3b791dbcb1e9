package cqlfake

import (
	"strconv"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
)

// Value is a bound value: its bytes, nil for null.
type Value struct {
	Bytes []byte
	Unset bool
}

func (v Value) null() bool { return v.Bytes == nil && !v.Unset }

// term is a bind marker or a constant.
type term struct {
	typ    *codec.Type
	marker int // -1 for a constant
	value  Value
}

// of is the value in a call.
func (t *term) of(c *call) Value {
	if t.marker < 0 {
		return t.value
	}
	return c.values[t.marker]
}

// term reads one of a type.
func (p *parser) term(of *table, name string, typ *codec.Type) *term {
	if p.take("?") {
		p.vars = append(p.vars, variable{name, typ, of})
		return &term{typ: typ, marker: len(p.vars) - 1}
	}
	if p.is(":") {
		refuse(unknown("bind markers with names"))
	}
	if p.take("null") {
		return &term{typ: typ, marker: -1}
	}
	if p.is("[") || p.is("{") || p.is("(") {
		return p.literal(of, name, typ)
	}
	t := p.peek()
	if t.kind == word && t.text != "true" && t.text != "false" || t.kind == quoted || t.kind == sign || t.kind == atEnd {
		p.unexpected()
	}
	p.next()
	if t.kind == number && (typ.Kind == codec.Date || typ.Kind == codec.Time || typ.Kind == codec.Timestamp) {
		refuse(unknown("numbers as constants of type %s; write it as text, or bind a value", typ))
	}
	if !takes(typ.Kind, t.kind) {
		kind := constantNames[t.kind]
		if t.kind == number && strings.ContainsAny(t.text, ".eE") {
			kind = "FLOAT"
		}
		refuse(invalid("Invalid %s constant (%s) for %q of type %s", kind, t.text, name, typ))
	}
	b, err := constant(typ, t.text)
	if err != nil {
		refuse(unknown("what a server says of a constant for %q, of type %s, that is %s", name, typ, err))
	}
	return &term{typ: typ, marker: -1, value: Value{Bytes: b}}
}

// constant returns the bytes of a constant. Of a timestamp the server cuts what is below a
// millisecond.
func constant(typ *codec.Type, text string) ([]byte, error) {
	if typ.Kind == codec.Timestamp {
		if at, err := codec.ParseTimestamp(text); err == nil {
			text = strconv.FormatInt(at.UnixMilli(), 10)
		}
	}
	return codec.ParseText([]byte{}, typ, []byte(text))
}

var constantNames = map[tokenKind]string{word: "BOOLEAN", text: "STRING", number: "INTEGER", blob: "HEX", uuid: "UUID"}

// takes reports whether a type takes a kind of constant.
func takes(k codec.Kind, constant tokenKind) bool {
	switch k {
	case codec.Ascii, codec.Text, codec.Inet:
		return constant == text
	case codec.Date, codec.Time, codec.Timestamp:
		return constant == text
	case codec.Bigint, codec.Counter, codec.Int, codec.Smallint, codec.Tinyint, codec.Varint, codec.Decimal, codec.Double, codec.Float:
		return constant == number
	case codec.Boolean:
		return constant == word
	case codec.UUID, codec.Timeuuid:
		return constant == uuid
	case codec.Blob:
		return constant == blob
	}
	refuse(unknown("constants of type %s; bind a value", k))
	return false
}

var (
	bigintType = &codec.Type{Kind: codec.Bigint}
	intType    = &codec.Type{Kind: codec.Int}
)

// integer is the value of a term, if it is there and not unset. For a null it is what
// the function returns.
func (t *term) integer(c *call, name string, null func() int64) (v int64, given bool) {
	if t == nil {
		return 0, false
	}
	switch value := t.of(c); {
	case value.Unset:
		return 0, false
	case value.null():
		return null(), true
	default:
		validate(t.typ, value.Bytes)
		if len(value.Bytes) == 0 {
			refuse(unknown("an empty value for the %s", name))
		}
		return signed(value.Bytes), true
	}
}
