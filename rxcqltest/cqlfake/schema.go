package cqlfake

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// use reads USE behind that word.
func (p *parser) use() *plan {
	keyspace := p.name()
	if !p.server.keyspaces[keyspace] {
		refuse(invalid("Keyspace '%s' does not exist", keyspace))
	}
	return &plan{run: func(c *call) message.Message {
		if c.conn != nil {
			c.conn.keyspace = keyspace
		}
		return &message.SetKeyspaceResult{Keyspace: keyspace}
	}}
}

// schemaChange reads CREATE, DROP or TRUNCATE.
func (p *parser) schemaChange() *plan {
	var run func() message.Message
	switch p.next().text {
	case "create":
		run = p.create()
	case "drop":
		run = p.drop()
	default:
		run = p.truncate()
	}
	return &plan{run: func(*call) message.Message { return run() }}
}

func (p *parser) create() func() message.Message {
	if p.take("keyspace") {
		return p.createKeyspace()
	}
	if p.take("table") {
		return p.createTable(false)
	}
	refuse(unknown("CREATE %s", p.peek().text))
	return nil
}

func (p *parser) createKeyspace() func() message.Message {
	missing := p.ifNotExists()
	name := p.name()
	p.need("with", "replication", "=")
	replication := p.options()
	durable := true
	if p.take("and", "durable_writes", "=") {
		if durable = p.take("true"); !durable {
			p.need("false")
		}
	}
	if p.server.keyspaces[name] {
		if missing {
			return func() message.Message { return &message.VoidResult{} }
		}
		refuse(&message.AlreadyExists{ErrorMessage: "Keyspace '" + name + "' already exists", Keyspace: name})
	}
	return func() message.Message {
		p.server.addKeyspace(name, replication, durable)
		return p.server.changed(primitive.SchemaChangeTypeCreated, name, "")
	}
}

// options reads a map of constants.
func (p *parser) options() map[string]string {
	all := map[string]string{}
	p.need("{")
	for more := !p.take("}"); more; more = !p.take("}") {
		if len(all) > 0 {
			p.need(",")
		}
		key := p.next()
		p.need(":")
		all[key.text] = p.next().text
	}
	return all
}

func (p *parser) drop() func() message.Message {
	if p.take("keyspace") {
		exists := p.take("if", "exists")
		name := p.name()
		if !p.server.keyspaces[name] && !exists {
			refuse(invalid("Keyspace '%s' doesn't exist", name))
		}
		return func() message.Message { return p.server.dropKeyspace(name) }
	}
	if !p.take("table") {
		refuse(unknown("DROP %s", p.peek().text))
	}
	exists := p.take("if", "exists")
	keyspace, name := p.tableName()
	if p.server.tables[tableName{keyspace, name}] == nil {
		if !exists {
			refuse(invalid("Table '%s.%s' doesn't exist", keyspace, name))
		}
		return func() message.Message { return &message.VoidResult{} }
	}
	return func() message.Message { return p.server.dropTable(tableName{keyspace, name}) }
}

func (p *parser) truncate() func() message.Message {
	p.take("table")
	t := p.table()
	return func() message.Message {
		t.partitions = nil
		return &message.VoidResult{}
	}
}

// createTable reads a table behind those words. Those of the system may have columns
// of types that it knows for no others, since nobody writes them in parts.
func (p *parser) createTable(system bool) func() message.Message {
	missing := p.ifNotExists()
	t := &table{system: system}
	t.keyspace, t.name = p.tableName()
	if !p.server.keyspaces[t.keyspace] {
		refuse(invalid("Keyspace '%s' doesn't exist", t.keyspace))
	}
	var key keyNames
	p.need("(")
	for more := true; more; more = p.take(",") {
		p.definition(t, &key)
	}
	p.need(")")
	t.identify(key)
	if p.take("with") {
		for more := true; more; more = p.take("and") {
			p.tableOption(t)
		}
	}
	t.arrange()
	if p.server.tables[t.tableName] != nil {
		if missing {
			return func() message.Message { return &message.VoidResult{} }
		}
		refuse(&message.AlreadyExists{ErrorMessage: "Cannot add already existing table \"" + t.name + "\" to keyspace \"" + t.keyspace + "\"", Keyspace: t.keyspace, Table: t.name})
	}
	return func() message.Message {
		t.id = gocql.TimeUUID()
		p.server.addTable(t)
		return p.server.changed(primitive.SchemaChangeTypeCreated, t.keyspace, t.name)
	}
}

// definition reads a column, or the primary key.
func (p *parser) definition(t *table, key *keyNames) {
	if p.take("primary", "key", "(") {
		key.again()
		if p.is("(") {
			key.partition = p.names()
		} else {
			key.partition = []string{p.name()}
		}
		for p.take(",") {
			key.clustering = append(key.clustering, p.name())
		}
		p.need(")")
		return
	}
	c := &column{name: p.name()}
	if slices.ContainsFunc(t.columns, func(other *column) bool { return other.name == c.name }) {
		refuse(invalid("Duplicate column '%s' declaration for table '%s'", c.name, t.name))
	}
	c.typ = p.typ()
	if p.is("static") {
		refuse(unknown("static columns"))
	}
	if !t.system {
		known(c.typ, true)
	}
	t.columns = append(t.columns, c)
	if p.take("primary", "key") {
		key.again()
		key.partition = []string{c.name}
	}
}

// keyNames are the columns of a primary key, which may be named before they are there.
type keyNames struct{ partition, clustering []string }

func (k *keyNames) again() {
	if k.partition != nil {
		refuse(invalid("Multiple PRIMARY KEYs specified (exactly one required)"))
	}
}

// known refuses the types of columns that a server treats in ways that this one does not.
func known(t *codec.Type, column bool) {
	switch t.Kind {
	case codec.Counter, codec.UDT, codec.Custom:
		refuse(unknown("columns of type %s", t))
	case codec.List, codec.Set, codec.Map:
		if column && !t.Frozen {
			refuse(unknown("collections that are not frozen; frozen<%s> is known", t))
		}
	}
	for _, e := range t.Elems {
		known(e, false)
	}
	if (t.Kind == codec.Set || t.Kind == codec.Map) && compare(t.Elems[0]) == nil {
		refuse(unknown("the order of %s in a set or map", t.Elems[0]))
	}
}

func (p *parser) tableOption(t *table) {
	switch {
	case p.take("clustering", "order", "by", "("):
		for more := true; more; more = p.take(",") {
			c := t.column(p.name())
			if c.desc = p.take("desc"); !c.desc {
				p.take("asc")
			}
		}
		p.need(")")
	case p.take("default_time_to_live", "="):
		ttl, err := strconv.ParseInt(p.next().text, 10, 32)
		if err != nil || ttl < 0 {
			refuse(invalid("default_time_to_live must be greater than or equal to 0 (got %d)", ttl))
		}
		t.ttl = ttl
	default: // of no consequence for what is answered
		if p.name(); !p.take("=") {
			p.unexpected()
		}
		if p.is("{") {
			p.options()
		} else {
			p.next()
		}
	}
}

// identify finds the columns of the key.
func (t *table) identify(key keyNames) {
	if key.partition == nil {
		refuse(invalid("No PRIMARY KEY specifed for table '%s' (exactly one required)", t))
	}
	for _, name := range key.partition {
		t.partition = append(t.partition, t.column(name))
	}
	for _, name := range key.clustering {
		t.clustering = append(t.clustering, t.column(name))
	}
}

// arrange puts the columns into the order of a SELECT *.
func (t *table) arrange() {
	place := map[*column]int{}
	for i, c := range append(slices.Clone(t.partition), t.clustering...) {
		place[c] = i - len(t.columns)
		c.key = true
	}
	for _, c := range t.clustering {
		if c.order = compare(c.typ); c.order == nil && t.system {
			c.order = compare(&codec.Type{Kind: codec.Blob})
		}
		if c.order == nil {
			refuse(unknown("the order of clustering columns of type %s", c.typ))
		}
	}
	slices.SortFunc(t.columns, func(a, b *column) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a.name, b.name))
	})
}
