package cqlfake

import (
	"crypto/md5"
	"slices"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
)

// plan is a statement that was read and compared with the schema.
type plan struct {
	cql    string
	verb   Verb
	table  *table // nil for one of none
	vars   []variable
	result []*message.ColumnMetadata // of a SELECT
	run    func(*call) message.Message
	write  func(*call) func() // of INSERT, UPDATE and DELETE: looks at the values, and returns what writes them
}

// call is a statement that runs, with what it was sent with.
type call struct {
	conn      *conn // nil for the server's own
	values    []Value
	pageSize  int
	state     []byte
	empty     bool  // a page without rows, that is not the last one
	timestamp int64 // for what has none of its own
	now       time.Time
}

// compile reads a statement.
func (s *Server) compile(keyspace, cql string) (made *plan, err message.Error) {
	err = caught(func() {
		p := &parser{server: s, keyspace: keyspace, tokens: lex(cql)}
		made = p.statement()
		p.end()
		made.cql, made.vars = cql, p.vars
	})
	return made, err
}

func (p *parser) statement() *plan {
	switch {
	case p.take("select"):
		return p.selection()
	case p.is("insert"), p.is("update"), p.is("delete"):
		made := p.writing()
		if write := made.write; made.run == nil {
			made.run = func(c *call) message.Message { write(c)(); return &message.VoidResult{} }
		}
		return made
	case p.take("begin"):
		return p.batch()
	case p.take("use"):
		return p.use()
	case p.is("create"), p.is("alter"), p.is("drop"), p.is("truncate"):
		return p.schemaChange()
	}
	if first := p.peek(); first.kind == word {
		refuse(unknown("statements that begin with %s", first.text))
	}
	p.unexpected()
	return nil
}

// keyIndices are the variables that make up the partition key of the plan's table,
// or none if not all of it is bound.
func (m *plan) keyIndices() []uint16 {
	if m.table == nil {
		return nil
	}
	found := make([]int, len(m.table.partition))
	for i := range found {
		found[i] = -1
	}
	for i, v := range m.vars {
		if v.table != m.table {
			return nil // a batch of several tables
		}
		if at := slices.IndexFunc(m.table.partition, func(c *column) bool { return c.name == v.name }); at >= 0 {
			found[at] = i
		}
	}
	indices := make([]uint16, len(found))
	for i, at := range found {
		if at < 0 {
			return nil
		}
		indices[i] = uint16(at)
	}
	return indices
}

// prepared describes the plan.
func (m *plan) prepared(id []byte) *message.PreparedResult {
	vars := &message.VariablesMetadata{PkIndices: m.keyIndices()}
	for _, v := range m.vars {
		vars.Columns = append(vars.Columns, &message.ColumnMetadata{Keyspace: v.table.keyspace, Table: v.table.name, Name: v.name, Type: native(v.typ)})
	}
	return &message.PreparedResult{
		PreparedQueryId: id, VariablesMetadata: vars,
		ResultMetadata: &message.RowsMetadata{ColumnCount: int32(len(m.result)), Columns: m.result},
	}
}

// execute runs the plan with its values.
func (m *plan) execute(c *call) (answer message.Message) {
	err := caught(func() {
		m.check(c.values)
		answer = m.run(c)
	})
	if err != nil {
		return err
	}
	return answer
}

// check refuses another number of values than there are bind markers.
func (m *plan) check(values []Value) {
	if len(values) != len(m.vars) {
		refuse(invalid("Invalid amount of bind variables"))
	}
}

func statementID(keyspace, cql string) []byte {
	sum := md5.Sum([]byte(keyspace + cql))
	return sum[:]
}

func valuesOf(bound []*primitive.Value) []Value {
	values := make([]Value, len(bound))
	for i, v := range bound {
		switch {
		case v == nil || v.Type == primitive.ValueTypeNull:
		case v.Type == primitive.ValueTypeUnset:
			values[i].Unset = true
		default:
			values[i].Bytes = append([]byte{}, v.Contents...)
		}
	}
	return values
}
