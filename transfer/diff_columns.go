package transfer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// comparison says which columns of two tables are compared. It does not change.
type comparison struct {
	compareConfig
	times       bool
	left, right *schema.Table
	key         []columnPair // the primary key
	partition   int          // how many of them are the partition key
	static      []columnPair
	regular     []columnPair
}

// columnPair is a column of the source and the one of the target that it is compared with.
type columnPair struct {
	left, right schema.Column
	normal      bool // the types differ, or equal values may have several forms: compare their text
}

// timed reports whether write times of the two can be compared. Those of lists cannot: whoever
// writes a list gives its elements times of their own.
func (p *columnPair) timed() bool { return p.expires() && !isList(p.left.Type) }

// expires reports whether the expiry of the two can be compared, element by element.
func (p *columnPair) expires() bool {
	return multiCell(p.left.Type) == multiCell(p.right.Type) && p.left.Type.Kind != codec.Counter
}

// multiCell reports whether the elements of a column are cells of their own.
func multiCell(t *codec.Type) bool {
	switch t.Kind {
	case codec.List, codec.Set, codec.Map, codec.UDT:
		return !t.Frozen
	default:
		return false
	}
}

func isList(t *codec.Type) bool { return t.Kind == codec.List && !t.Frozen }

// newComparison matches the columns of two tables. The error names all columns that cannot be
// compared, and the remedies.
func newComparison(left, right *schema.Table, cfg compareConfig, times bool) (*comparison, error) {
	c := &comparison{compareConfig: cfg, times: times, left: left, right: right, partition: len(left.PartitionKey)}
	errs := c.matchKeys()
	matched := map[string]bool{} // columns of the right table
	for _, l := range left.Columns {
		if isKey(l) || cfg.leaveOut[l.Name] {
			continue
		}
		name := l.Name
		if other, renamed := cfg.renamed[l.Name]; renamed {
			name = other
		}
		r, found := right.Column(name)
		if !found {
			errs = append(errs, fmt.Errorf("column %q of the source has no partner %q in the target: name it with Rename, or LeaveOut(%q)", l.Name, name, l.Name))
			continue
		}
		matched[name] = true
		pair, err := pairColumns(l, r)
		errs = append(errs, err)
		if l.Kind == schema.Static {
			c.static = append(c.static, pair)
		} else {
			c.regular = append(c.regular, pair)
		}
	}
	for _, r := range right.Columns {
		if !isKey(r) && !matched[r.Name] && !cfg.leaveOut[r.Name] {
			errs = append(errs, fmt.Errorf("column %q of the target has no partner in the source: name it with Rename, or LeaveOut(%q)", r.Name, r.Name))
		}
	}
	errs = append(errs, c.unknownNames()...)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w: %s and %s cannot be compared: %w", rxcql.ErrSchema, left.Quoted(), right.Quoted(), err)
	}
	return c, nil
}

// matchKeys matches the columns of the primary keys by position. source.TablePair says what is
// wrong with keys that cannot be merged; here it matters only that there are as many.
func (c *comparison) matchKeys() (errs []error) {
	left := slices.Concat(c.left.PartitionKey, c.left.ClusteringKey)
	right := slices.Concat(c.right.PartitionKey, c.right.ClusteringKey)
	if len(c.left.PartitionKey) != len(c.right.PartitionKey) || len(left) != len(right) {
		return []error{fmt.Errorf("the source has %d partition key and %d clustering columns, and the target %d and %d: rows are matched by key, column by column",
			len(c.left.PartitionKey), len(c.left.ClusteringKey), len(c.right.PartitionKey), len(c.right.ClusteringKey))}
	}
	for i := range left {
		c.key = append(c.key, columnPair{left: left[i], right: right[i]})
		if c.leaveOut[left[i].Name] || c.leaveOut[right[i].Name] {
			errs = append(errs, fmt.Errorf("LeaveOut(%q): a column of the primary key cannot be left out", left[i].Name))
		}
	}
	return errs
}

// unknownNames reports options that name columns which neither table has.
func (c *comparison) unknownNames() (errs []error) {
	for name := range c.leaveOut {
		_, inLeft := c.left.Column(name)
		_, inRight := c.right.Column(name)
		if !inLeft && !inRight {
			errs = append(errs, fmt.Errorf("LeaveOut(%q): neither table has such a column%s", name, schema.Meant(name, c.left.ColumnNames())))
		}
	}
	for from := range c.renamed {
		if _, found := c.left.Column(from); !found {
			errs = append(errs, fmt.Errorf("Rename(%q, …): the source has no such column%s", from, schema.Meant(from, c.left.ColumnNames())))
		}
	}
	return errs
}

func pairColumns(l, r schema.Column) (columnPair, error) {
	p := columnPair{left: l, right: r}
	if l.Kind != r.Kind {
		return p, fmt.Errorf("column %q is %s in the source, and %q is %s in the target: LeaveOut one of them", l.Name, l.Kind, r.Name, r.Kind)
	}
	same, normal := sameValues(l.Type, r.Type)
	p.normal = normal
	if !same {
		return p, fmt.Errorf("column %q is %s in the source, and %q is %s in the target: their values cannot be compared; LeaveOut one of them",
			l.Name, l.Type, r.Name, r.Type)
	}
	return p, nil
}

// families are kinds of which equal values are equal as text.
var families = [][]codec.Kind{
	{codec.Tinyint, codec.Smallint, codec.Int, codec.Bigint, codec.Varint},
	{codec.Ascii, codec.Text},
	{codec.UUID, codec.Timeuuid},
}

// sameValues reports whether values of two types can be compared; normal, whether by their text.
func sameValues(a, b *codec.Type) (same, normal bool) {
	if a.Kind != b.Kind {
		in := func(family []codec.Kind) bool {
			return slices.Contains(family, a.Kind) && slices.Contains(family, b.Kind)
		}
		return slices.ContainsFunc(families, in), true
	}
	if a.Kind == codec.Custom && a.Name != b.Name || a.Dim != b.Dim || len(a.Elems) != len(b.Elems) || len(a.Fields) != len(b.Fields) {
		return false, false
	}
	// A tuple may be written with fewer elements than it has, and a user-defined type with fewer
	// fields; what is not there is null.
	same, normal = true, a.Kind == codec.Tuple || a.Kind == codec.UDT
	for i := range a.Elems {
		s, n := sameValues(a.Elems[i], b.Elems[i])
		same, normal = same && s, normal || n
	}
	for i, f := range a.Fields {
		s, n := sameValues(f.Type, b.Fields[i].Type)
		same, normal = same && s && f.Name == b.Fields[i].Name, normal || n
	}
	return same, normal
}

// columns returns the names of the compared columns of one side, without the key; none if there are
// none.
func (c *comparison) columns(right bool) (names []string) {
	for _, group := range [][]columnPair{c.static, c.regular} {
		for i := range group {
			names = append(names, group[i].of(right).Name)
		}
	}
	return names
}

// of returns the column of one side.
func (p *columnPair) of(right bool) schema.Column {
	if right {
		return p.right
	}
	return p.left
}
