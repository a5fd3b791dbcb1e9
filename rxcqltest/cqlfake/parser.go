package cqlfake

import (
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
)

// parser reads one statement. It refuses what it does not know; see refuse.
type parser struct {
	server   *Server
	keyspace string // of the connection
	typesOf  string // the keyspace of user-defined types
	tokens   []token
	vars     []variable
}

// variable is a bind marker.
type variable struct {
	name  string
	typ   *codec.Type
	table *table
}

func (p *parser) peek() token {
	if len(p.tokens) == 0 {
		return token{}
	}
	return p.tokens[0]
}

func (p *parser) next() token {
	t := p.peek()
	if t.kind != atEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// is reports whether the next tokens are these words or signs.
func (p *parser) is(words ...string) bool {
	for i, w := range words {
		if i >= len(p.tokens) || p.tokens[i].text != w || p.tokens[i].kind != word && p.tokens[i].kind != sign {
			return false
		}
	}
	return true
}

// take is is, and goes on behind them.
func (p *parser) take(words ...string) bool {
	found := p.is(words...)
	if found {
		p.tokens = p.tokens[len(words):]
	}
	return found
}

// need goes on behind words that must be there.
func (p *parser) need(words ...string) {
	for _, w := range words {
		if !p.take(w) {
			p.unexpected()
		}
	}
}

// unexpected refuses the next token. Whether Cassandra takes it is not known here.
func (p *parser) unexpected() {
	switch t := p.peek(); t.kind {
	case atEnd:
		refuse(syntaxError("line 1: no viable alternative at input '<EOF>'"))
	case text, number, blob, uuid: // values are not repeated in errors
		refuse(unknown("a constant at this place of the statement"))
	default:
		refuse(unknown("%q at this place of the statement", t.text))
	}
}

// end makes sure that there is nothing more.
func (p *parser) end() {
	p.take(";")
	if p.peek().kind != atEnd {
		p.unexpected()
	}
}

// name is that of a keyspace, table or column.
func (p *parser) name() string {
	t := p.peek()
	if t.kind != word && t.kind != quoted {
		p.unexpected()
	}
	if t.kind == word && reserved[t.text] {
		refuse(syntaxError("line 1: no viable alternative at input '%s', which is a reserved word", t.text))
	}
	return p.next().text
}

// names are some in brackets.
func (p *parser) names() (all []string) {
	p.need("(")
	for all = append(all, p.name()); p.take(","); {
		all = append(all, p.name())
	}
	p.need(")")
	return all
}

// tableName is keyspace.table, or a table of the connection's keyspace.
func (p *parser) tableName() (keyspace, name string) {
	keyspace, name = p.keyspace, p.name()
	if p.take(".") {
		keyspace, name = name, p.name()
	}
	if keyspace == "" {
		refuse(invalid("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename"))
	}
	return keyspace, name
}

// table finds one that must be there.
func (p *parser) table() *table {
	keyspace, name := p.tableName()
	if !p.server.keyspaces[keyspace] {
		refuse(invalid("keyspace %s does not exist", keyspace))
	}
	t := p.server.tables[tableName{keyspace, name}]
	if t == nil {
		refuse(invalid("table %s does not exist", name))
	}
	return t
}

// column finds one that must be there.
func (t *table) column(name string) *column {
	i := slices.IndexFunc(t.columns, func(c *column) bool { return c.name == name })
	if i < 0 {
		refuse(invalid("Undefined column name %s in table %s", name, t))
	}
	return t.columns[i]
}

// ifNot takes IF NOT EXISTS.
func (p *parser) ifNotExists() bool { return p.take("if", "not", "exists") }

// typ reads a type up to the comma or bracket that ends it.
func (p *parser) typ() *codec.Type {
	var spelled strings.Builder
	for depth := 0; ; {
		t := p.peek()
		switch {
		case t.kind == text:
			refuse(unknown("custom types"))
		case t.kind == atEnd, depth == 0 && spelled.Len() > 0 && !p.is("<"):
			return p.parsed(spelled.String())
		case p.is("<"):
			depth++
		case p.is(">"):
			depth--
		}
		if p.next(); t.kind == quoted {
			t.text = `"` + strings.ReplaceAll(t.text, `"`, `""`) + `"`
		}
		spelled.WriteString(t.text)
		if depth == 0 && p.is(">") {
			p.unexpected()
		}
		if depth == 0 && !p.is("<") {
			return p.parsed(spelled.String())
		}
	}
}

func (p *parser) parsed(spelled string) *codec.Type {
	typ, err := codec.Parse(spelled, func(name string) (*codec.Type, error) {
		found := p.server.types[tableName{p.typesOf, name}]
		if found == nil {
			refuse(invalid("Unknown type %s.%s", p.typesOf, name))
		}
		return found, nil
	})
	if err != nil {
		refuse(syntaxError("%s", err))
	}
	return spread(typ)
}
