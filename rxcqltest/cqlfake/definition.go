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
	c.typ = p.typ()
	if p.is("static") {
		refuse(unknown("static columns"))
	}
	if !t.system {
		known(c.typ, true)
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

// known refuses the types of columns that a server treats in ways that this one does not.
func known(t *codec.Type, column bool) {
	switch t.Kind {
	case codec.Counter, codec.UDT, codec.Custom:
		refuse(unknown("columns of type %s", t))
	case codec.List, codec.Set, codec.Map:
		if column && !t.Frozen {
			refuse(unknown("collections that are not frozen; frozen<%s> is known", t))
		}
	}
	for _, e := range t.Elems {
		known(e, false)
	}
	if (t.Kind == codec.Set || t.Kind == codec.Map) && compare(t.Elems[0]) == nil {
		refuse(unknown("the order of %s in a set or map", t.Elems[0]))
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
	}
}

func hasDuration(t *codec.Type) bool {
	return t.Kind == codec.Duration || slices.ContainsFunc(t.Elems, hasDuration)
}

// arrange puts the columns into the order of a SELECT *.
func (t *table) arrange() {
	place := map[*column]int{}
	for i, c := range append(slices.Clone(t.partition), t.clustering...) {
		place[c] = i - len(t.columns)
		c.key = true
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
