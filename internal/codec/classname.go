package codec

import (
	"encoding/hex"
	"strconv"
	"strings"
)

const marshalPackage = "org.apache.cassandra.db.marshal."

// Class is the Java class of the type with its parameters, in the server's own spelling.
func (t *Type) Class() string {
	var b strings.Builder
	t.spellClass(&b)
	return b.String()
}

func (t *Type) spellClass(b *strings.Builder) {
	if t.Kind == Custom {
		b.WriteString(t.Name)
		return
	}
	if t.Frozen && t.multicell() && t.Kind != Tuple {
		b.WriteString(marshalPackage + "FrozenType(")
		defer b.WriteByte(')')
	}
	b.WriteString(marshalPackage + kinds[t.Kind].class)
	if t.Kind < List {
		return
	}
	b.WriteByte('(')
	if t.Kind == UDT {
		b.WriteString(t.Keyspace + "," + hex.EncodeToString([]byte(t.Name)))
		for _, f := range t.Fields {
			b.WriteString("," + hex.EncodeToString([]byte(f.Name)) + ":")
			f.Type.spellClass(b)
		}
	}
	for i, e := range t.Elems {
		if i > 0 {
			b.WriteByte(',')
		}
		e.spellClass(b)
	}
	if t.Kind == Vector {
		b.WriteString(" , " + strconv.Itoa(t.Dim))
	}
	b.WriteByte(')')
}

// ParseClass reads a Java class with its parameters, as the driver shows custom types.
func ParseClass(s string) (*Type, error) {
	p := &parser{in: s}
	t, err := p.class(0)
	if err == nil && !p.done() {
		err = p.fail("text after the type")
	}
	return t, err
}

// class reads one class name and its parameters. A class it does not know becomes Custom with its
// text as it stands.
func (p *parser) class(depth int) (*Type, error) {
	if depth > maxDepth {
		return nil, p.fail("nested too deep")
	}
	p.blanks()
	start := p.pos
	name := strings.TrimPrefix(p.word(), marshalPackage)
	if name == "" {
		return nil, p.fail("a class name is missing")
	}
	if k, ok := kindsByClass[name]; ok {
		return &Type{Kind: k}, nil
	}
	switch name {
	case "FrozenType", "ReversedType":
		elems, _, err := p.classArgs(depth, 1, false)
		if err != nil {
			return nil, err
		}
		if name == "FrozenType" {
			return elems[0].frozen(), nil
		}
		return elems[0], nil
	case "ListType", "SetType", "MapType", "TupleType", "VectorType":
		k := map[string]Kind{"ListType": List, "SetType": Set, "MapType": Map, "TupleType": Tuple, "VectorType": Vector}[name]
		elems, dim, err := p.classArgs(depth, arity(k), k == Vector)
		if err != nil {
			return nil, err
		}
		return &Type{Kind: k, Elems: nestedAll(elems), Dim: dim, Frozen: k == Tuple}, nil
	case "UserType":
		return p.userClass(depth)
	}
	if err := p.skipArgs(); err != nil {
		return nil, err
	}
	return &Type{Kind: Custom, Name: strings.TrimRight(p.in[start:p.pos], blank)}, nil
}

// classArgs reads the parameters in brackets: n types (any number above 0 if n is 0), then a
// dimension if vector.
func (p *parser) classArgs(depth, n int, vector bool) (elems []*Type, dim int, err error) {
	if !p.take('(') {
		return nil, 0, p.fail("'(' is missing")
	}
	for {
		t, err := p.class(depth + 1)
		if err != nil {
			return nil, 0, err
		}
		elems = append(elems, t)
		if len(elems) == n || !p.take(',') {
			break
		}
	}
	if vector {
		if !p.take(',') {
			return nil, 0, p.fail("the dimension is missing")
		}
		if dim, err = p.dimension(); err != nil {
			return nil, 0, err
		}
	}
	if len(elems) < n {
		return nil, 0, p.fail("too few parameters")
	}
	if !p.take(')') {
		return nil, 0, p.fail("')' is missing")
	}
	return elems, dim, nil
}

// userClass reads (keyspace,hex name,hex field:class,…).
func (p *parser) userClass(depth int) (*Type, error) {
	t := &Type{Kind: UDT}
	if !p.take('(') {
		return nil, p.fail("'(' is missing")
	}
	p.blanks()
	t.Keyspace = p.word()
	if !p.take(',') {
		return nil, p.fail("the name of the user-defined type is missing")
	}
	var err error
	if t.Name, err = p.hexWord(); err != nil {
		return nil, err
	}
	for p.take(',') {
		var f Field
		if f.Name, err = p.hexWord(); err != nil {
			return nil, err
		}
		if !p.take(':') {
			return nil, p.fail("':' is missing")
		}
		if f.Type, err = p.class(depth + 1); err != nil {
			return nil, err
		}
		f.Type = nested(f.Type)
		t.Fields = append(t.Fields, f)
	}
	if !p.take(')') {
		return nil, p.fail("')' is missing")
	}
	return t, nil
}

func (p *parser) hexWord() (string, error) {
	p.blanks()
	name, err := hex.DecodeString(p.word())
	if err != nil || len(name) == 0 {
		return "", p.fail("a name in hexadecimal is missing")
	}
	return string(name), nil
}

// skipArgs goes past the parameters of an unknown class, brackets balanced.
func (p *parser) skipArgs() error {
	if !p.take('(') {
		return nil
	}
	for open := 1; open > 0; p.pos++ {
		if p.pos == len(p.in) {
			return p.fail("')' is missing")
		}
		switch p.in[p.pos] {
		case '(':
			open++
		case ')':
			open--
		}
	}
	return nil
}
