package cqlfake

import (
	"cmp"
	"math"
	"slices"

	"github.com/rxcql/rxcql/internal/ring"
)

// where is what a SELECT reads: all, a range of tokens, or partitions or parts of them.
type where struct {
	tokens    []condition
	partition []condition // one a column; nil: all partitions
	rows      []condition
	reversed  bool // the rows of a partition come in the reverse of their order
}

func (s *selection) isPartitionKey(given []string) bool {
	return slices.Equal(given, names(s.table.partition))
}

// conditions reads WHERE, if it is there.
func (p *parser) conditions(t *table) (w where) {
	if !p.take("where") {
		return w
	}
	key := make([]condition, len(t.partition))
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
		cond := p.condition(t)
		if at := slices.Index(t.partition, cond.column); at >= 0 {
			if !cond.equal() || key[at].column != nil {
				refuse(unknown("this condition on a column of the partition key"))
			}
			key[at] = cond
			continue
		}
		w.rows = append(w.rows, cond)
	}
	w.check(key)
	return w
}

// check refuses what needs more than a look at one place, and what is not known here.
func (w *where) check(key []condition) {
	missing := func(c condition) bool { return c.column == nil }
	given := slices.ContainsFunc(key, func(c condition) bool { return !missing(c) })
	if !given && len(w.rows) > 0 && w.tokens == nil || given && slices.ContainsFunc(key, missing) {
		refuse(unknown("conditions without the whole partition key"))
	}
	if given && w.tokens != nil {
		refuse(unknown("conditions of a token together with others"))
	}
	if given {
		w.partition = key
	}
	for _, conditions := range [][]condition{w.tokens, w.rows} {
		for i, c := range conditions {
			if slices.ContainsFunc(conditions[:i], c.alike) {
				refuse(unknown("two conditions that bound one column, or the token, from the same side"))
			}
		}
	}
	// All columns before the one that is compared must be given.
	equal := 0
	for _, c := range w.rows {
		if c.equal() && c.index == equal {
			equal++
		}
	}
	for _, c := range w.rows {
		if c.index < 0 || c.equal() && c.index >= equal || !c.equal() && c.index != equal {
			refuse(unknown("this condition on the column %s: those before it in the key must be given, with = or IN, and in the order of the key", c.column.name))
		}
	}
}

// each calls fn with the rows that w is about, from a position on, until it returns false.
func (w *where) each(c *call, t *table, at position, fn func(*partition, *row) bool) {
	if w.partition == nil {
		w.eachInRange(c, t, at, fn)
		return
	}
	keys := w.keys(c)
	holds := w.rowsThat(c)
	if at.begun {
		keys = keys[max(0, slices.Index(keys, at.key)):]
	}
	for _, key := range keys {
		p := t.find(key)
		if p != nil && !w.eachRow(c, t, p, at, func(r *row) bool { return !holds(r) || fn(p, r) }) {
			return
		}
	}
}

// rowsThat returns what reports whether the conditions on the clustering columns hold of a row.
func (w *where) rowsThat(c *call) func(*row) bool {
	values := make([][][]byte, len(w.rows))
	for i, cond := range w.rows {
		values[i] = cond.values(c)
	}
	return func(r *row) bool {
		for i, cond := range w.rows {
			holds := func(value []byte) bool { return cond.holds(cond.column.order(r.key[cond.index], value)) }
			if !slices.ContainsFunc(values[i], holds) {
				return false
			}
		}
		return true
	}
}

// keys are those of the partitions, in the order in which they are read: that of their values, and
// not of their tokens.
func (w *where) keys(c *call) (keys []string) {
	all := [][][]byte{nil}
	for _, cond := range w.partition {
		var longer [][][]byte
		values := cond.values(c)
		if len(values) > 1 {
			order := compare(cond.column.typ)
			if order == nil {
				refuse(unknown("the order of %s for IN", cond.column.typ))
			}
			slices.SortFunc(values, order)
			values = slices.CompactFunc(values, func(a, b []byte) bool { return order(a, b) == 0 })
		}
		for _, cells := range all {
			for _, value := range values {
				longer = append(longer, append(slices.Clone(cells), value))
			}
		}
		all = longer
	}
	for _, cells := range all {
		if len(cells) == 1 && len(cells[0]) == 0 {
			refuse(invalid("Key may not be empty"))
		}
		keys = append(keys, partitionKey(cells))
	}
	return keys
}

// lastIs reports whether partitions are named, and this is the last of them.
func (w *where) lastIs(c *call, p *partition) bool {
	if w.partition == nil {
		return false
	}
	keys := w.keys(c)
	return p.key == keys[len(keys)-1]
}

// eachRow calls fn with the rows of a partition, from a position on, as long as it returns true. A
// partition of which nothing but static columns is there counts as a row too, which is nil, unless
// rows are asked for.
func (w *where) eachRow(c *call, t *table, p *partition, at position, fn func(*row) bool) (more bool) {
	now := c.now.Unix()
	goesOn := at.begun && at.key == p.key
	static := len(w.rows) == 0 && !goesOn && p.static != nil && p.static.live(p.deleted, now)
	for i := range p.rows {
		r := p.rows[i]
		if w.reversed {
			r = p.rows[len(p.rows)-1-i]
		}
		if goesOn {
			order := t.compareRows(r.key, at.row)
			if order == 0 || (order < 0) != w.reversed {
				continue
			}
		}
		if !r.live(p.deleted, now) {
			continue
		}
		static = false
		if !fn(r) {
			return false
		}
	}
	return !static || fn(nil)
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
	holds := w.rowsThat(c)
	for _, p := range t.partitions[first:] {
		inside := true
		for i, cond := range w.tokens {
			// The least token stands for both ends of the ring.
			inside = inside && (bounds[i] == math.MinInt64 || cond.holds(cmp.Compare(p.token, bounds[i])))
		}
		if inside && !w.eachRow(c, t, p, at, func(r *row) bool { return !holds(r) || fn(p, r) }) {
			return
		}
	}
}
