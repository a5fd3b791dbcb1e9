package cqlfake

import (
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
)

// mayChange refuses to change what is in a keyspace of the system.
func mayChange(keyspace string) {
	if isSystem(keyspace) {
		refuse(&message.Unauthorized{ErrorMessage: keyspace + " keyspace is not user-modifiable."})
	}
}

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

// schemaChange reads CREATE, ALTER, DROP or TRUNCATE.
func (p *parser) schemaChange() *plan {
	var run func() message.Message
	switch p.next().text {
	case "create":
		run = p.create()
	case "alter":
		run = p.alter()
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
	if p.take("type") {
		return p.createType()
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
		return p.server.changed(primitive.SchemaChangeTypeCreated, name, primitive.SchemaChangeTargetKeyspace, "")
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
		mayChange(name)
		return func() message.Message { return p.server.dropKeyspace(name) }
	}
	if p.take("type") {
		return p.dropType()
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
	mayChange(keyspace)
	return func() message.Message { return p.server.dropTable(tableName{keyspace, name}) }
}

func (p *parser) truncate() func() message.Message {
	p.take("table")
	t := p.table()
	mayChange(t.keyspace)
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
	if !system {
		mayChange(t.keyspace)
	}
	p.typesOf = t.keyspace
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
	if t.counter && t.ttl > 0 {
		refuse(invalid("Cannot set default_time_to_live on a table with counters"))
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
		return p.server.changed(primitive.SchemaChangeTypeCreated, t.keyspace, primitive.SchemaChangeTargetTable, t.name)
	}
}
