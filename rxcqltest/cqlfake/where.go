package cqlfake

import (
	"cmp"
	"math"
	"slices"

	"github.com/rxcql/rxcql/internal/ring"
)

// where is what a SELECT reads: all, a range of tokens, or a partition or part of it.
type where struct {
	tokens    []condition
	partition []*term // one a column; nil: all partitions
	rows      []condition
	reversed  bool // rows of the partition come in the other order
}

// condition compares a clustering column, or the token if that is nil.
type condition struct {
	column *column
	index  int
	op     string
	term   *term
}

// holds reports whether the order of something to the value is as the condition says.
func (c condition) holds(order int) bool {
	switch c.op {
	case "=":
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

func (s *selection) isPartitionKey(given []string) bool {
	return slices.Equal(given, names(s.table.partition))
}

// conditions reads WHERE, if it is there.
func (p *parser) conditions(t *table) (w where) {
	if !p.take("where") {
		return w
	}
	key := make([]*term, len(t.partition))
	for more := true; more; more = p.take("and") {
		if p.take("token") {
			if given := p.names(); !slices.Equal(given, names(t.partition)) {
				refuse(unknown("the token of other columns than the partition key in its order"))
			}
			op := p.operator()
			if op == "=" {
				refuse(unknown("token(…) = …"))
			}
			w.tokens = append(w.tokens, condition{op: op, term: p.term(t, "partition key token", bigintType)})
			continue
		}
		c := t.column(p.name())
		op := p.operator()
		term := p.term(t, c.name, c.typ)
		if at := slices.Index(t.partition, c); at >= 0 {
			if op != "=" || key[at] != nil {
				refuse(unknown("this condition on a column of the partition key"))
			}
			key[at] = term
			continue
		}
		w.rows = append(w.rows, condition{column: c, index: slices.Index(t.clustering, c), op: op, term: term})
	}
	w.check(key)
	return w
}

// orderBy reads ORDER BY, if it is there: the first clustering column, for one partition.
func (p *parser) orderBy(t *table, w *where) {
	if !p.take("order", "by") {
		return
	}
	c := t.column(p.name())
	if w.partition == nil || slices.Index(t.clustering, c) != 0 {
		refuse(unknown("ORDER BY other than the first clustering column, for one partition"))
	}
	desc := p.take("desc")
	if !desc {
		p.take("asc")
	}
	w.reversed = desc != c.desc
}

func (p *parser) operator() string {
	for _, op := range []string{"=", "<", "<=", ">", ">="} {
		if p.take(op) {
			return op
		}
	}
	refuse(unknown("conditions other than =, <, <=, > and >="))
	return ""
}

// check refuses what needs more than a look at one place, and what is not known here.
func (w *where) check(key []*term) {
	given := slices.IndexFunc(key, func(t *term) bool { return t != nil }) >= 0
	if !given && len(w.rows) > 0 || given && slices.Contains(key, nil) {
		refuse(unknown("conditions without the whole partition key"))
	}
	if given && w.tokens != nil {
		refuse(unknown("conditions of a token together with others"))
	}
	if given {
		w.partition = key
	}
	// All columns before the one that is compared must be given.
	equal := 0
	for _, c := range w.rows {
		if c.op == "=" && c.index == equal {
			equal++
		}
	}
	for _, c := range w.rows {
		if c.index < 0 || c.op == "=" && c.index >= equal || c.op != "=" && c.index != equal {
			refuse(unknown("this condition on the column %s: those before it in the key must be given, with =, and in the order of the key", c.column.name))
		}
	}
}

// each calls fn with the rows that w is about, from a position on, until it returns false.
func (w *where) each(c *call, t *table, at position, fn func(*partition, *row) bool) {
	if w.partition == nil {
		w.eachInRange(c, t, at, fn)
		return
	}
	cells := make([][]byte, len(w.partition))
	for i, term := range w.partition {
		cells[i] = keyCell(t.partition[i], term.of(c))
	}
	if len(cells) == 1 && len(cells[0]) == 0 {
		refuse(invalid("Key may not be empty"))
	}
	values := make([][]byte, len(w.rows))
	for i, cond := range w.rows {
		values[i] = keyCell(cond.column, cond.term.of(c))
	}
	p := t.find(partitionKey(cells))
	if p == nil || at.begun && at.key != p.key {
		return
	}
	t.eachRow(p, at, w.reversed, func(r *row) bool {
		for i, cond := range w.rows {
			if !cond.holds(cond.column.order(r.key[cond.index], values[i])) {
				return true
			}
		}
		return fn(p, r)
	})
}

// eachRow calls fn with the rows of a partition, from a position on.
func (t *table) eachRow(p *partition, at position, reversed bool, fn func(*row) bool) (more bool) {
	for i := range p.rows {
		r, sign := p.rows[i], 1
		if reversed {
			r, sign = p.rows[len(p.rows)-1-i], -1
		}
		if at.begun && at.key == p.key && sign*t.compareRows(r.key, at.row) <= 0 {
			continue
		}
		if !fn(r) {
			return false
		}
	}
	return true
}

// eachInRange is each of all partitions whose tokens are as w says.
func (w *where) eachInRange(c *call, t *table, at position, fn func(*partition, *row) bool) {
	bounds := make([]int64, len(w.tokens))
	for i, cond := range w.tokens {
		bound, given := cond.term.integer(c, "token", func() int64 { refuse(invalid("Invalid null token value")); return 0 })
		if !given {
			refuse(invalid("Invalid unset token value"))
		}
		bounds[i] = bound
	}
	first := 0
	if at.begun {
		first, _ = t.place(ring.Token([]byte(at.key)), at.key)
	}
	for _, p := range t.partitions[first:] {
		inside := true
		for i, cond := range w.tokens {
			// The least token stands for both ends of the ring.
			inside = inside && (bounds[i] == math.MinInt64 || cond.holds(cmp.Compare(p.token, bounds[i])))
		}
		if inside && !t.eachRow(p, at, false, func(r *row) bool { return fn(p, r) }) {
			return
		}
	}
}
