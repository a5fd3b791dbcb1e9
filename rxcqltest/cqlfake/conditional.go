package cqlfake

import (
	"bytes"
	"slices"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
)

// when is IF: what must be so of the row for a write to be applied, a lightweight transaction.
type when struct {
	notExists bool
	exists    bool
	columns   []assignment // that have these values
	clock     func() int64 // of the server
}

// when reads IF, if it is there.
func (p *parser) when(m *mutation) {
	if !p.take("if") {
		return
	}
	m.when = &when{clock: p.server.timestamp}
	switch {
	case m.inserts:
		p.need("not", "exists")
		m.when.notExists = true
	case p.take("exists"):
		m.when.exists = true
	default:
		for more := true; more; more = p.take("and") {
			c := m.table.column(p.name())
			if c.key {
				refuse(invalid("PRIMARY KEY column '%s' cannot have IF conditions", c.name))
			}
			if !p.take("=") {
				refuse(unknown("conditions (IF) other than EXISTS, NOT EXISTS and column = value"))
			}
			m.when.columns = append(m.when.columns, assignment{column: c, term: p.term(m.table, c.name, c.typ)})
		}
	}
}

// check refuses what a conditional write may not have.
func (w *when) check(m *mutation) {
	switch {
	case w == nil:
	case slices.ContainsFunc(m.table.columns, func(c *column) bool { return c.static }):
		refuse(unknown("conditions (IF) on tables with static columns"))
	case slices.ContainsFunc(w.columns, func(a assignment) bool { return a.column.parted }):
		refuse(unknown("conditions (IF) on collections and types that are not frozen"))
	case m.timestamp != nil:
		refuse(invalid("Cannot provide custom timestamp for conditional updates"))
	case m.whole():
		refuse(invalid("DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to delete non static columns"))
	}
}

// runIf runs a conditional write. It is newer than all that the row has, whatever the clocks say:
// in a bubble time may stand still.
func (m *mutation) runIf(c *call) message.Message {
	partition, clustering := m.keyCells(c, m.table.partition), m.keyCells(c, m.table.clustering)
	at := found{now: c.now.Unix()}
	newest := int64(none)
	if at.partition = m.table.find(partitionKey(partition)); at.partition != nil {
		newest = at.partition.deleted
		if i, there := m.table.placeOf(at.partition, clustering); there {
			r := at.partition.rows[i]
			newest = max(newest, r.newest())
			if r.live(at.partition.deleted, at.now) {
				at.row = r
			}
		}
	}
	later := *c
	later.timestamp = max(m.when.clock(), newest+1)
	write := m.prepare(&later)
	answer := &selection{table: m.table}
	applied := m.when.holds(c, at)
	answer.add("[applied]", datatype.Boolean, func(found) []byte {
		if applied {
			return []byte{1}
		}
		return []byte{0}
	})
	switch {
	case applied:
		write()
	case at.row != nil:
		for _, col := range m.when.shown(m.table) {
			answer.column(col, col.name)
		}
	}
	row := message.Row{}
	for _, cell := range answer.cells {
		row = append(row, cell(at))
	}
	return &message.RowsResult{
		Metadata: &message.RowsMetadata{ColumnCount: int32(len(answer.meta)), Columns: answer.meta}, Data: message.RowSet{row},
	}
}

// holds reports whether the row is as it must be. There is none if that of at is nil.
func (w *when) holds(c *call, at found) bool {
	switch {
	case w.notExists:
		return at.row == nil
	case w.exists:
		return at.row != nil
	}
	holds := true
	for _, want := range w.columns {
		v := want.term.of(c)
		if v.Unset {
			refuse(unknown("unset in a condition (IF)"))
		}
		var value []byte
		if !v.null() {
			value = checked(want.column.typ, v.Bytes)
		}
		var has cell
		live := false
		if at.row != nil {
			has, live = at.cell(want.column)
		}
		holds = holds && live == !v.null() && (!live || bytes.Equal(has.value, value))
	}
	return holds
}

// shown are the columns that are answered of a row that is not as it must be.
func (w *when) shown(t *table) (all []*column) {
	if w.notExists {
		return t.columns
	}
	for _, want := range w.columns {
		if !slices.Contains(all, want.column) {
			all = append(all, want.column)
		}
	}
	return all
}

// newest is the time of the latest write to the row.
func (r *row) newest() int64 {
	at := max(r.deleted, r.marker.at)
	for _, c := range r.cells {
		at = max(at, c.at)
	}
	for _, ps := range r.parts {
		at = max(at, ps.newest())
	}
	return at
}
