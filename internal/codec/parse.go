package codec

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// maxDepth bounds nesting in a type, so that no input can exhaust the stack.
	maxDepth = 100
	// maxDim bounds the elements of a vector: above what any frame can carry.
	maxDim = 1 << 26
	blank  = " \t\r\n"
)

// Parse reads a type as system_schema.columns.type spells it. udt is asked for the user-defined
// types by name (without quotes; "keyspace.name" when written so); nil means that there are none.
func Parse(cql string, udt func(name string) (*Type, error)) (*Type, error) {
	p := &parser{in: cql, udt: udt}
	t, err := p.cql(0)
	if err == nil && !p.done() {
		err = p.fail("text after the type")
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// parser walks one spelling, CQL or Java class.
type parser struct {
	in  string
	pos int
	udt func(string) (*Type, error)
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w %q: %s at byte %d", ErrType, p.in, what, p.pos)
}

func (p *parser) blanks() {
	for p.pos < len(p.in) && strings.IndexByte(blank, p.in[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) done() bool {
	p.blanks()
	return p.pos == len(p.in)
}

func (p *parser) take(c byte) bool {
	p.blanks()
	if p.pos < len(p.in) && p.in[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// word reads letters, digits and the few signs of names; "" if there are none.
func (p *parser) word() string {
	start := p.pos
	for p.pos < len(p.in) && strings.IndexByte(blank+"<>(),:;'\"", p.in[p.pos]) < 0 {
		p.pos++
	}
	return p.in[start:p.pos]
}

// quoted reads up to the closing quote q, doubled quotes standing for one.
func (p *parser) quoted(q byte) (string, error) {
	var b strings.Builder
	for p.pos++; p.pos < len(p.in); p.pos++ {
		c := p.in[p.pos]
		if c == q {
			if p.pos+1 == len(p.in) || p.in[p.pos+1] != q {
				p.pos++
				return b.String(), nil
			}
			p.pos++
		}
		b.WriteByte(c)
	}
	return "", p.fail("the closing quote is missing")
}

func (p *parser) dimension() (int, error) {
	p.blanks()
	n, err := strconv.Atoi(p.word())
	if err != nil || n < 1 || n > maxDim {
		return 0, p.fail(fmt.Sprintf("a dimension from 1 to %d is missing", maxDim))
	}
	return n, nil
}

// cql reads one type.
func (p *parser) cql(depth int) (*Type, error) {
	if depth > maxDepth {
		return nil, p.fail("nested too deep")
	}
	p.blanks()
	if p.pos == len(p.in) {
		return nil, p.fail("a type is missing")
	}
	switch p.in[p.pos] {
	case '\'':
		class, err := p.quoted('\'')
		if err != nil {
			return nil, err
		}
		return ParseClass(class)
	case '"':
		return p.userType("")
	}
	word := strings.ToLower(p.word())
	if p.take('<') {
		return p.generic(word, depth)
	}
	if k, ok := kindsByName[word]; ok {
		return &Type{Kind: k}, nil
	}
	switch word {
	case "":
		return nil, p.fail("a type is missing")
	case "empty":
		return &Type{Kind: Custom, Name: marshalPackage + "EmptyType"}, nil
	}
	return p.userType(word)
}

// generic reads the parameters of name, after the opening bracket.
func (p *parser) generic(name string, depth int) (*Type, error) {
	k := map[string]Kind{"list": List, "set": Set, "map": Map, "tuple": Tuple, "vector": Vector, "frozen": Custom}
	kind, ok := k[name]
	if !ok {
		return nil, p.fail("a type that takes no parameters has some")
	}
	t := &Type{Kind: kind}
	for want := arity(kind); ; {
		e, err := p.cql(depth + 1)
		if err != nil {
			return nil, err
		}
		t.Elems = append(t.Elems, e)
		if len(t.Elems) == want || !p.take(',') {
			break
		}
	}
	if len(t.Elems) < arity(kind) {
		return nil, p.fail("too few parameters")
	}
	if kind == Vector {
		if !p.take(',') {
			return nil, p.fail("the dimension is missing")
		}
		var err error
		if t.Dim, err = p.dimension(); err != nil {
			return nil, err
		}
	}
	if !p.take('>') {
		return nil, p.fail("'>' is missing")
	}
	if name == "frozen" {
		return t.Elems[0].frozen(), nil
	}
	return t, nil
}

// userType reads a name, quoted or not, perhaps after a keyspace, and asks for the type. first is
// the word already read, which a dot at its end or before it joins to a quoted name.
func (p *parser) userType(first string) (*Type, error) {
	name := first
	for name == "" || strings.HasSuffix(name, ".") {
		if p.pos == len(p.in) {
			return nil, p.fail("a name is missing")
		}
		if p.in[p.pos] != '"' {
			word := strings.ToLower(p.word())
			if !plainName(word) {
				return nil, p.fail("a name is missing")
			}
			name += word
			continue
		}
		part, err := p.quoted('"')
		if err != nil {
			return nil, err
		}
		if part == "" {
			return nil, p.fail("a name is empty")
		}
		name += part
		if p.pos == len(p.in) || p.in[p.pos] != '.' {
			break
		}
		p.pos++
		name += "."
	}
	if first != "" && !plainName(strings.TrimSuffix(first, ".")) {
		return nil, p.fail("a name needs quotes")
	}
	if p.udt == nil {
		return nil, p.fail("a user-defined type where none are known")
	}
	t, err := p.udt(name)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrType, p.in, err)
	}
	if t == nil {
		return nil, p.fail("an unknown user-defined type")
	}
	return t, nil
}

// plainName reports whether CQL takes s unchanged, with or without a keyspace.
func plainName(s string) bool {
	for i, part := range strings.Split(s, ".") {
		if i > 1 || part == "" {
			return false
		}
		for j := 0; j < len(part); j++ {
			if c := part[j]; c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

// arity is the number of type parameters of a kind; 0 means one or more.
func arity(k Kind) int {
	switch k {
	case Map:
		return 2
	case Tuple:
		return 0
	}
	return 1
}
