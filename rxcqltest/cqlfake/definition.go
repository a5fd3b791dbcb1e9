package cqlfake

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/rxcql/rxcql/internal/codec"
)

// definition reads a column, or the primary key.
func (p *parser) definition(t *table, key *keyNames) {
	if p.take("primary", "key", "(") {
		key.again(t)
		if p.is("(") {
			key.partition = p.names()
		} else {
			key.partition = []string{p.name()}
		}
		for p.take(",") {
			key.clustering = append(key.clustering, p.name())
		}
		p.need(")")
		return
	}
	c := &column{name: p.name()}
	if slices.ContainsFunc(t.columns, func(other *column) bool { return other.name == c.name }) {
		refuse(invalid("Duplicate column '%s' declaration for table '%s'", c.name, t.name))
	}
	c.typ, c.static = p.typ(), p.take("static")
	if !t.system {
		known(c.typ)
	}
	t.columns = append(t.columns, c)
	if p.take("primary", "key") {
		key.again(t)
		key.partition = []string{c.name}
	}
}

// keyNames are the columns of a primary key, which may be named before they are there.
type keyNames struct{ partition, clustering []string }

func (k *keyNames) again(t *table) {
	if k.partition != nil {
		refuse(invalid("Multiple PRIMARY KEY specified for table '%s' (exactly one required)", t.name))
	}
}

func (p *parser) tableOption(t *table) {
	switch {
	case p.take("clustering", "order", "by", "("):
		var given []string
		for more := true; more; more = p.take(",") {
			c := t.column(p.name())
			given = append(given, c.name)
			if c.desc = p.take("desc"); !c.desc {
				p.need("asc")
			}
		}
		p.need(")")
		if !slices.Equal(given, names(t.clustering)) {
			refuse(unknown("a CLUSTERING ORDER of other columns than all clustering columns in their order"))
		}
	case p.take("default_time_to_live", "="):
		ttl, err := strconv.ParseInt(p.next().text, 10, 32)
		if err != nil || ttl < 0 {
			refuse(invalid("default_time_to_live must be greater than or equal to 0 (got %d)", ttl))
		}
		t.ttl = ttl
	default:
		if name := p.name(); !p.take("=") {
			p.unexpected()
		} else if !tableOptionNames[name] {
			refuse(unknown("the option %s of a table", name))
		}
		if p.is("{") {
			p.options()
		} else {
			p.next()
		}
	}
}

// identify finds the columns of the key.
func (t *table) identify(key keyNames) {
	if key.partition == nil {
		refuse(invalid("No PRIMARY KEY specifed for table '%s' (exactly one required)", t.name)) //nolint:misspell // so it says
	}
	for _, name := range key.partition {
		t.partition = append(t.partition, t.column(name))
	}
	for _, name := range key.clustering {
		t.clustering = append(t.clustering, t.column(name))
	}
	all := slices.Concat(t.partition, t.clustering)
	for i, c := range all {
		if slices.Contains(all[:i], c) {
			refuse(unknown("a column that is twice in the primary key"))
		}
		if hasDuration(c.typ) {
			refuse(unknown("a duration in the primary key"))
		}
		switch {
		case inParts(c.typ) && !t.system:
			refuse(invalid("Invalid non-frozen collection type %s for PRIMARY KEY column '%s'", c.typ, c.name))
		case isCounter(c.typ):
			refuse(invalid("counter type is not supported for PRIMARY KEY column '%s'", c.name))
		case c.static:
			refuse(invalid("Static column '%s' cannot be part of the PRIMARY KEY", c.name))
		}
	}
	t.rest(all)
}

// rest looks at the columns that are not of the key.
func (t *table) rest(key []*column) {
	counters := 0
	for _, c := range t.columns {
		switch {
		case slices.Contains(key, c):
		case c.static && len(t.clustering) == 0:
			refuse(invalid("Static columns are only useful (and thus allowed) if the table has at least one clustering column"))
		case isCounter(c.typ):
			counters++
		}
	}
	if t.counter = counters > 0; t.counter && counters < len(t.columns)-len(key) {
		refuse(invalid("Cannot mix counter and non counter columns in the same table"))
	}
}

func hasDuration(t *codec.Type) bool {
	return t.Kind == codec.Duration || slices.ContainsFunc(t.Elems, hasDuration) ||
		slices.ContainsFunc(t.Fields, func(f codec.Field) bool { return hasDuration(f.Type) })
}

// arrange puts the columns into the order of a SELECT *.
func (t *table) arrange() {
	place := map[*column]int{}
	for i, c := range append(slices.Clone(t.partition), t.clustering...) {
		place[c] = i - len(t.columns)
		c.key = true
	}
	for _, c := range t.columns {
		if c.static {
			place[c] = -1
		}
		c.parted = inParts(c.typ) && !t.system // nobody writes those of the system in parts
	}
	for _, c := range t.clustering {
		if c.order = compare(c.typ); c.order == nil && t.system {
			c.order = compare(&codec.Type{Kind: codec.Blob})
		}
		if c.order == nil {
			refuse(unknown("the order of clustering columns of type %s", c.typ))
		}
	}
	slices.SortFunc(t.columns, func(a, b *column) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a.name, b.name))
	})
}
