package cqlfake

import (
	"slices"
	"strings"

	"github.com/datastax/go-cassandra-native-protocol/message"
)

// mutation is an INSERT, UPDATE or DELETE.
type mutation struct {
	table     *table
	key       map[*column]*term
	set       []assignment
	inserts   bool  // writes a row marker
	deletes   bool  // what set names, or else the whole row
	timestamp *term // nil for that of the call
	ttl       *term // nil for that of the table
	when      *when // nil for always
}

type assignment struct {
	column *column
	term   *term // nil in a DELETE
}

// writing reads an INSERT, UPDATE or DELETE.
func (p *parser) writing() *plan {
	m := &mutation{key: map[*column]*term{}}
	var verb Verb
	switch verb = Verb(strings.ToUpper(p.next().text)); verb {
	case Insert:
		p.insert(m)
	case Update:
		p.update(m)
	case Delete:
		p.deletion(m)
	}
	if !m.inserts {
		p.when(m)
	}
	m.complete()
	if m.when.check(m); m.when != nil {
		return &plan{verb: verb, table: m.table, run: m.runIf, write: func(*call) func() {
			refuse(unknown("conditions (IF) in a batch"))
			return nil
		}}
	}
	return &plan{verb: verb, table: m.table, write: m.prepare}
}

// of finds the table that is written.
func (p *parser) of(m *mutation) {
	m.table = p.table()
	if m.table.system {
		refuse(&message.Unauthorized{ErrorMessage: m.table.keyspace + " keyspace is not user-modifiable."})
	}
}

func (p *parser) insert(m *mutation) {
	m.inserts = true
	p.need("into")
	p.of(m)
	if p.is("json") {
		refuse(unknown("INSERT … JSON"))
	}
	names := p.names()
	p.need("values", "(")
	for i, name := range names {
		if i > 0 && !p.take(",") {
			refuse(invalid("Unmatched column names/values"))
		}
		c := m.table.column(name)
		m.assign(c, p.term(m.table, c.name, c.typ))
	}
	if p.is(",") {
		refuse(invalid("Unmatched column names/values"))
	}
	p.need(")")
	p.when(m)
	p.using(m)
}

// whole reports whether the mutation deletes a partition.
func (m *mutation) whole() bool {
	return m.deletes && m.set == nil && len(m.table.clustering) > 0 && m.key[m.table.clustering[0]] == nil
}

// assign sets a column, of the key or another one.
func (m *mutation) assign(c *column, t *term) {
	double := m.key[c] != nil || slices.ContainsFunc(m.set, func(a assignment) bool { return a.column == c })
	switch {
	case double:
		refuse(invalid("The column names contains duplicates"))
	case c.key:
		m.key[c] = t
	default:
		m.set = append(m.set, assignment{c, t})
	}
}

func (p *parser) update(m *mutation) {
	p.of(m)
	p.using(m)
	p.need("set")
	for more := true; more; more = p.take(",") {
		c := m.table.column(p.name())
		if c.key {
			refuse(invalid("PRIMARY KEY part %s found in SET part", c.name))
		}
		p.need("=")
		m.assign(c, p.term(m.table, c.name, c.typ))
		if p.is("+") || p.is("-") {
			refuse(unknown("values that are computed by the server"))
		}
	}
	p.where(m)
}

func (p *parser) deletion(m *mutation) {
	m.deletes = true
	var names []string
	for !p.is("from") {
		names = append(names, p.name())
		if !p.take(",") {
			break
		}
	}
	p.need("from")
	p.of(m)
	for _, name := range names {
		c := m.table.column(name)
		if c.key {
			refuse(invalid("Invalid identifier %s for deletion (should not be a PRIMARY KEY part)", c.name))
		}
		m.set = append(m.set, assignment{column: c})
	}
	p.using(m)
	if m.ttl != nil {
		refuse(syntaxError("a DELETE takes no TTL"))
	}
	p.where(m)
}

// using reads USING TIMESTAMP and TTL.
func (p *parser) using(m *mutation) {
	if !p.take("using") {
		return
	}
	for more := true; more; more = p.take("and") {
		switch {
		case p.take("timestamp"):
			m.timestamp = p.term(m.table, "[timestamp]", bigintType)
		case p.take("ttl"):
			m.ttl = p.term(m.table, "[ttl]", intType)
		default:
			p.unexpected()
		}
	}
}

// where reads the key of the row that is written.
func (p *parser) where(m *mutation) {
	p.need("where")
	for more := true; more; more = p.take("and") {
		c := m.table.column(p.name())
		if !p.take("=") {
			refuse(unknown("conditions of a write other than column = value"))
		}
		if m.key[c] != nil {
			refuse(invalid("%s cannot be restricted by more than one relation if it includes an Equal", c.name))
		}
		if !c.key {
			refuse(invalid("Non PRIMARY KEY columns found in where clause: %s ", c.name))
		}
		m.key[c] = p.term(m.table, c.name, c.typ)
	}
}

// complete refuses a write to less than a row, unless it deletes a partition.
func (m *mutation) complete() {
	missing := func(cols []*column) (names []string) {
		for _, c := range cols {
			if m.key[c] == nil {
				names = append(names, c.name)
			}
		}
		return names
	}
	if names := missing(m.table.partition); names != nil {
		refuse(invalid("Some partition key parts are missing: %s", strings.Join(names, ", ")))
	}
	names := missing(m.table.clustering)
	switch {
	case names == nil:
	case m.deletes && m.set == nil && len(names) == len(m.table.clustering):
	case m.deletes && m.set == nil:
		refuse(unknown("the deletion of a range of rows"))
	case m.deletes:
		refuse(invalid("Range deletions are not supported for specific columns"))
	default:
		refuse(invalid("Some clustering keys are missing: %s", strings.Join(names, ", ")))
	}
}

// batch reads a batch that is one statement.
func (p *parser) batch() *plan {
	made := &plan{verb: BatchText}
	if !p.take("unlogged") && p.is("counter") {
		refuse(unknown("counters"))
	}
	p.need("batch")
	if p.is("using") {
		refuse(unknown("USING of a whole batch"))
	}
	var parts []*plan
	for !p.take("apply") {
		part := p.writing()
		p.take(";")
		if made.table == nil {
			made.table = part.table
		}
		parts = append(parts, part)
	}
	p.need("batch")
	made.run = func(c *call) message.Message {
		writeAll(parts, c)
		return &message.VoidResult{}
	}
	return made
}

// writeAll runs several writes with the same values, all or none.
func writeAll(parts []*plan, c *call) {
	var writes []func()
	for _, part := range parts {
		writes = append(writes, part.write(c))
	}
	for _, write := range writes {
		write()
	}
}
