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
	adds   int64 // 1 or -1 where the term is added to a counter, or subtracted
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
	m.complete(verb)
	m.countable()
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
	if m.table.counter {
		refuse(invalid("INSERT statements are not allowed on counter tables, use UPDATE instead"))
	}
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
		m.assign(assignment{column: c, term: p.term(m.table, c.name, c.typ)})
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

// onlyStatic reports whether static columns alone are set.
func (m *mutation) onlyStatic() bool {
	return m.set != nil && !slices.ContainsFunc(m.set, func(a assignment) bool { return !a.column.static })
}

// rowless reports whether the mutation is of a partition and not of a row.
func (m *mutation) rowless() bool {
	return m.whole() || m.onlyStatic() && m.key[m.table.clustering[0]] == nil
}

// assign sets a column, of the key or another one.
func (m *mutation) assign(a assignment) {
	c := a.column
	double := m.key[c] != nil || slices.ContainsFunc(m.set, func(other assignment) bool { return other.column == c })
	switch {
	case double && a.adds != 0:
		refuse(unknown("a counter that one statement adds to twice"))
	case double:
		refuse(invalid("The column names contains duplicates"))
	case c.key:
		m.key[c] = a.term
	default:
		m.set = append(m.set, a)
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
		m.assign(p.setting(m.table, c))
	}
	p.where(m)
}

func (p *parser) deletion(m *mutation) {
	m.deletes = true
	var names []string
	for !p.is("from") {
		names = append(names, p.name())
		p.noElement()
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

// noElement refuses a part of the column that was read.
func (p *parser) noElement() {
	if p.is("[") || p.is(".") {
		refuse(unknown("elements of collections, and fields of user-defined types, by themselves"))
	}
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

// complete refuses a write to less than a row, unless it is of a partition.
func (m *mutation) complete(verb Verb) {
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
	case m.onlyStatic() && !m.inserts && len(names) < len(m.table.clustering):
		refuse(invalid("Invalid restrictions on clustering columns since the %s statement modifies only static columns", verb))
	case m.onlyStatic() && len(names) == len(m.table.clustering):
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
