package cqlfake

import (
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
)

// condition compares a column of the key, or the token if that is nil.
type condition struct {
	column *column
	index  int
	op     string // of IN, inList
	term   *term
	list   []*term // of IN
}

const inList = "IN"

// equal reports whether the condition names values, one or several.
func (c condition) equal() bool { return c.op == "=" || c.op == inList }

// holds reports whether the order of something to the value is as the condition says.
func (c condition) holds(order int) bool {
	switch c.op {
	case "=", inList:
		return order == 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// alike reports whether both are about one column, or the token, and one would do: they bound it
// from the same side, or give its value.
func (c condition) alike(other condition) bool {
	return c.column == other.column && (c.op[0] == other.op[0] || c.op == "=" || other.op == "=")
}

// condition reads one on a column.
func (p *parser) condition(t *table) condition {
	c := t.column(p.name())
	cond := condition{column: c, index: slices.Index(t.clustering, c)}
	if !p.take("in") {
		cond.op = p.operator()
		cond.term = p.term(t, c.name, c.typ)
		return cond
	}
	cond.op = inList
	if p.is("?") {
		cond.term = p.term(t, "in("+c.name+")", &codec.Type{Kind: codec.List, Elems: []*codec.Type{c.typ}})
		return cond
	}
	p.need("(")
	for more := !p.take(")"); more; more = !p.take(")") {
		if len(cond.list) > 0 {
			p.need(",")
		}
		cond.list = append(cond.list, p.term(t, c.name, c.typ))
	}
	return cond
}

// values are those that the condition compares with, as a server keeps them.
func (c condition) values(of *call) (all [][]byte) {
	switch {
	case c.op != inList:
		return [][]byte{keyCell(c.column, c.term.of(of))}
	case c.term == nil:
		for _, term := range c.list {
			all = append(all, keyCell(c.column, term.of(of)))
		}
	default:
		bound := c.term.of(of)
		if bound.Unset || bound.null() {
			refuse(unknown("null and unset for IN ?"))
		}
		for _, cell := range elements(c.term.typ, bound.Bytes) {
			all = append(all, keyCell(c.column, Value{Bytes: cell}))
		}
	}
	return all
}

func (p *parser) operator() string {
	for _, op := range []string{"=", "<", "<=", ">", ">="} {
		if p.take(op) {
			return op
		}
	}
	refuse(unknown("conditions other than =, <, <=, >, >= and IN"))
	return ""
}
