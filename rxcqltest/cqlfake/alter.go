package cqlfake

import (
	"slices"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
)

// alter reads ALTER TABLE … ADD behind the first word.
func (p *parser) alter() func() message.Message {
	if !p.take("table") {
		refuse(unknown("ALTER %s", p.peek().text))
	}
	if p.is("if") {
		refuse(unknown("ALTER TABLE IF EXISTS"))
	}
	keyspace, name := p.tableName()
	t := p.server.tables[tableName{keyspace, name}]
	switch {
	case t == nil:
		refuse(invalid("Table '%s.%s' doesn't exist", keyspace, name))
	case t.system:
		refuse(&message.Unauthorized{ErrorMessage: keyspace + " keyspace is not user-modifiable."})
	}
	p.typesOf = keyspace
	if !p.take("add") {
		refuse(unknown("ALTER TABLE … %s; ADD is known", p.peek().text))
	}
	if p.is("if") {
		refuse(unknown("ALTER TABLE … ADD IF NOT EXISTS"))
	}
	var added []*column
	brackets := p.take("(")
	for more := true; more; more = brackets && p.take(",") {
		added = append(added, p.added(t, added))
	}
	if brackets {
		p.need(")")
	}
	return func() message.Message {
		t.columns = append(t.columns, added...)
		t.arrange()
		p.server.describe(t)
		p.server.forgetStatements(t.tableName)
		return p.server.changed(primitive.SchemaChangeTypeUpdated, t.keyspace, primitive.SchemaChangeTargetTable, t.name)
	}
}

// added reads a column that is added to a table together with others.
func (p *parser) added(t *table, others []*column) *column {
	c := &column{name: p.name()}
	if slices.ContainsFunc(slices.Concat(others, t.columns), func(other *column) bool { return other.name == c.name }) {
		refuse(invalid("Column with name '%s' already exists", c.name))
	}
	c.typ, c.static = p.typ(), p.take("static")
	switch {
	case c.static && len(t.clustering) == 0:
		refuse(invalid("Static columns are only useful (and thus allowed) if the table has at least one clustering column"))
	case t.counter || isCounter(c.typ):
		refuse(unknown("ALTER TABLE … ADD of a counter, or to a table of counters"))
	}
	known(c.typ)
	return c
}
