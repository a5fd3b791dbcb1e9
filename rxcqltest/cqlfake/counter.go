package cqlfake

import "strings"

// setting reads what an UPDATE does to a column behind its name: = value, or += or = name + value
// of a counter.
func (p *parser) setting(of *table, c *column) assignment {
	p.noElement()
	a := assignment{column: c, adds: p.adds(c)}
	if counter := isCounter(c.typ); a.adds != 0 && !counter {
		refuse(unknown("values that are computed by the server, other than those of counters"))
	} else if a.adds == 0 && counter {
		refuse(invalid("Cannot set the value of counter column %s (counters can only be incremented/decremented, not set)", c.name))
	}
	a.term = p.term(of, c.name, c.typ)
	if p.is("+") || p.is("-") {
		refuse(unknown("values that are computed by the server, other than a counter + or - a value"))
	}
	return a
}

// adds reads up to the value, and says whether that is added to what the column has: 1 or -1, or 0
// if it takes its place.
func (p *parser) adds(c *column) int64 {
	switch {
	case p.take("+", "="):
		return 1
	case p.take("-", "="):
		return -1
	}
	p.need("=")
	if next := p.peek(); next.kind != word && next.kind != quoted || next.text != c.name {
		return 0
	}
	p.next()
	next := p.peek()
	switch {
	case p.take("+"):
		return 1
	case p.take("-"):
		return -1
	case next.kind == number && strings.HasPrefix(next.text, "-"): // without a space it is the number's sign
		return 1
	}
	p.unexpected()
	return 0
}

// count is what a value adds to a counter.
func (a assignment) count(v Value) int64 {
	switch {
	case v.null() && a.term.marker < 0:
		refuse(invalid("Invalid null value for counter increment/decrement"))
	case v.null():
		refuse(invalid("Invalid null value for counter increment"))
	}
	validate(a.column.typ, v.Bytes)
	if len(v.Bytes) == 0 {
		refuse(unknown("an empty value for a counter"))
	}
	return a.adds * signed(v.Bytes)
}

// countable refuses what a write to a table of counters may not have.
func (m *mutation) countable() {
	switch {
	case !m.table.counter:
	case m.when != nil:
		refuse(invalid("Conditional updates are not supported on counter tables"))
	case m.timestamp != nil:
		refuse(invalid("Cannot provide custom timestamp for counter updates"))
	case m.ttl != nil:
		refuse(invalid("Cannot provide custom TTL for counter updates"))
	}
}

// neverDeleted refuses to count on where a counter was deleted: servers do not say what comes of
// that.
func (m *mutation) neverDeleted(partition, clustering [][]byte, changes []change) {
	p := m.table.find(partitionKey(partition))
	if p == nil || !m.table.counter || m.deletes {
		return
	}
	deleted := p.deleted != none
	for _, ch := range changes {
		r := p.static
		if i, there := m.table.placeOf(p, clustering); there && !ch.column.static {
			r = p.rows[i]
		}
		deleted = deleted || r != nil && (r.deleted != none || r.cells[ch.column].deleted)
	}
	if deleted {
		refuse(unknown("counters that are counted on after they were deleted"))
	}
}
