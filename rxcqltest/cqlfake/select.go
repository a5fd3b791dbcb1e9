package cqlfake

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
)

// selection is a SELECT.
type selection struct {
	table *table
	cells []func(r found) []byte
	where where
	limit *term
	first bool // of each partition the first row alone
	meta  []*message.ColumnMetadata

	statics, others bool // whether it selects static columns, and others that are not of the partition key
}

// selection reads a SELECT behind that word.
func (p *parser) selection() *plan {
	if p.is("json") || p.is("distinct") {
		refuse(unknown("SELECT %s", p.peek().text))
	}
	// The table comes behind the columns, whose names need it.
	selectors := p.tokens
	for depth := 0; !p.is("from") || depth > 0; p.next() {
		switch {
		case p.peek().kind == atEnd:
			p.unexpected()
		case p.is("("):
			depth++
		case p.is(")"):
			depth--
		}
	}
	p.need("from")
	s := &selection{table: p.table()}
	rest := p.tokens
	p.tokens = selectors
	s.selectors(p)
	p.tokens = rest
	s.where = p.conditions(s.table)
	if s.statics && !s.others && len(s.where.rows) > 0 {
		refuse(invalid("Cannot restrict clustering columns when selecting only static columns"))
	}
	p.ordering(s.table, &s.where)
	if p.take("per", "partition", "limit") {
		if n := p.next(); n.kind != number || n.text != "1" || s.where.partition != nil {
			refuse(unknown("PER PARTITION LIMIT other than 1, and of given partitions"))
		}
		s.first = true
	}
	if p.take("limit") {
		if !p.is("?") && p.peek().kind != number {
			refuse(syntaxError("line 1: no viable alternative at input '%s' (LIMIT)", p.peek().text))
		}
		s.limit = p.term(s.table, "[limit]", intType)
	}
	if s.where.tokens != nil && len(s.where.rows) > 0 && !p.take("allow", "filtering") {
		refuse(unknown("conditions without the whole partition key, without ALLOW FILTERING"))
	}
	return &plan{verb: Select, table: s.table, result: s.meta, run: s.run}
}

func (s *selection) selectors(p *parser) {
	if p.take("*") {
		for _, c := range s.table.columns {
			s.column(c, c.name)
		}
	} else {
		for more := true; more; more = p.take(",") {
			s.selector(p)
		}
	}
	if !p.is("from") {
		p.unexpected()
	}
}

// selector reads a column, or a function that it knows, with its other name.
func (s *selection) selector(p *parser) {
	name := "token"
	if p.is(name, "(") { // it is a reserved word
		p.next()
	} else {
		name = p.name()
	}
	if !p.is("(") {
		c := s.table.column(name)
		p.noElement()
		s.column(c, p.alias(c.name))
		return
	}
	if name == "totimestamp" {
		p.need("(", "now", "(", ")", ")")
		s.add(p.alias("system.totimestamp(system.now())"), datatype.Timestamp, func(f found) []byte {
			return binary.BigEndian.AppendUint64(nil, uint64(f.time.UnixMilli()))
		})
		return
	}
	args := func() []string { return p.names() }
	switch name {
	case "token":
		if !s.isPartitionKey(args()) {
			refuse(unknown("the token of other columns than the partition key in its order"))
		}
		s.add(p.alias("system.token("+strings.Join(names(s.table.partition), ", ")+")"), datatype.Bigint, func(f found) []byte {
			return binary.BigEndian.AppendUint64(nil, uint64(f.partition.token))
		})
	case "writetime", "ttl":
		of := args()
		c := s.table.column(of[0])
		if c.key || len(of) > 1 {
			refuse(invalid("Cannot use selection function %s on PRIMARY KEY part %s", name, c.name))
		}
		if c.parted || isCounter(c.typ) {
			refuse(unknown("%s of counters, and of collections and types that are not frozen", name))
		}
		s.selects(c)
		s.times(name, c, p.alias(name+"("+c.name+")"))
	default:
		refuse(unknown("the function %s", name))
	}
}

func (p *parser) alias(name string) string {
	if p.take("as") {
		return p.name()
	}
	return name
}

func (s *selection) times(name string, c *column, alias string) {
	if name == "writetime" {
		s.add(alias, datatype.Bigint, func(f found) []byte {
			if has, live := f.cell(c); live {
				return binary.BigEndian.AppendUint64(nil, uint64(has.at))
			}
			return nil
		})
		return
	}
	s.add(alias, datatype.Int, func(f found) []byte {
		if has, live := f.cell(c); live && has.ttl > 0 {
			return binary.BigEndian.AppendUint32(nil, uint32(has.expires-f.now))
		}
		return nil
	})
}

func (s *selection) add(name string, typ datatype.DataType, cell func(found) []byte) {
	s.meta = append(s.meta, &message.ColumnMetadata{Keyspace: s.table.keyspace, Table: s.table.name, Name: name, Type: typ})
	s.cells = append(s.cells, cell)
}

// selects notes that the selection needs a column.
func (s *selection) selects(c *column) {
	s.statics = s.statics || c.static
	s.others = s.others || !c.static && !slices.Contains(s.table.partition, c)
}

func (s *selection) column(c *column, name string) {
	s.selects(c)
	s.add(name, native(c.typ), func(f found) []byte {
		for i, k := range s.table.partition {
			if k == c {
				return f.partition.cells[i]
			}
		}
		for i, k := range s.table.clustering {
			if k == c && f.row == nil {
				return nil
			} else if k == c {
				return f.row.key[i]
			}
		}
		return f.value(c)
	})
}

func names(columns []*column) (all []string) {
	for _, c := range columns {
		all = append(all, c.name)
	}
	return all
}

// run reads a page.
func (s *selection) run(c *call) message.Message {
	limit := int64(math.MaxInt32)
	if given, is := s.limit.integer(c, "limit", func() int64 { refuse(invalid("Invalid null value of limit")); return 0 }); is {
		if limit = given; limit <= 0 {
			refuse(invalid("LIMIT must be strictly positive"))
		}
	}
	at := position{remaining: limit}
	size := int64(c.pageSize)
	if size <= 0 || size >= limit { // as a real server does: it pages nothing, and looks at no page state
		size = limit
	} else if c.state != nil {
		at = positionOf(c.state)
	}
	paged := size < limit
	size = min(size, at.remaining)
	result := &message.RowsResult{Metadata: &message.RowsMetadata{ColumnCount: int32(len(s.meta)), Columns: s.meta}}
	if c.empty {
		if !paged {
			refuse(unknown("an empty page of what is not paged"))
		}
		result.Metadata.PagingState = at.state()
		return result
	}
	last, had := found{now: c.now.Unix(), time: c.now}, at.key
	s.where.each(c, s.table, at, func(p *partition, r *row) (more bool) {
		if s.first && had == p.key {
			return true
		}
		if int64(len(result.Data)) == size {
			return false
		}
		had = p.key
		last.partition, last.row = p, r
		cells := make(message.Row, len(s.cells))
		for i, cell := range s.cells {
			cells[i] = cell(last)
		}
		result.Data = append(result.Data, cells)
		return true
	})
	at.remaining -= int64(len(result.Data))
	// As there: a full page may be the last one, unless the last partition has static columns alone.
	full := paged && int64(len(result.Data)) == size && at.remaining > 0
	if full && (last.row != nil || !s.where.lastIs(c, last.partition)) {
		at.after(last)
		result.Metadata.PagingState = at.state()
	}
	return result
}
