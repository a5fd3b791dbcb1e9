package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/schema"
)

// mergeable returns the order of the rows of two tables, if it is one and their keys can be matched
// by their bytes. The error names all that is in the way.
func mergeable(left, right *schema.Table) (*keyorder.Order, error) {
	errs := sameColumns("partition key", left.PartitionKey, right.PartitionKey, sameBytes)
	errs = append(errs, sameColumns("clustering", left.ClusteringKey, right.ClusteringKey, sameOrder)...)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	clustering := make([]keyorder.Clustering, len(left.ClusteringKey))
	for i, c := range left.ClusteringKey {
		clustering[i] = keyorder.Clustering{Name: c.Name, Type: c.Type, Descending: c.Descending}
	}
	return keyorder.New(len(left.PartitionKey), clustering...)
}

func sameColumns(kind string, left, right []schema.Column, same func(a, b *codec.Type) bool) (errs []error) {
	if len(left) != len(right) {
		return []error{fmt.Errorf("the left one has %s and the right one %s: keys are matched column by column",
			columnsOf(kind, left), columnsOf(kind, right))}
	}
	for i, l := range left {
		switch r := right[i]; {
		case !same(l.Type, r.Type):
			errs = append(errs, fmt.Errorf("%s column %d: %q is %s on the left and %q is %s on the right: "+
				"keys are matched by their bytes, so copy one table into another whose key has the types of the other",
				kind, i+1, l.Name, spelled(l.Type), r.Name, spelled(r.Type)))
		case l.Descending != r.Descending:
			errs = append(errs, fmt.Errorf("%s column %d: %q is %s on the left and %q is %s on the right: "+
				"rows come in other orders, so copy one table into another with the CLUSTERING ORDER of the other",
				kind, i+1, l.Name, direction(l), r.Name, direction(r)))
		}
	}
	return errs
}

func columnsOf(kind string, columns []schema.Column) string {
	if len(columns) == 0 {
		return "no " + kind + " columns"
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return fmt.Sprintf("%d %s columns (%s)", len(columns), kind, strings.Join(names, ", "))
}

func direction(c schema.Column) string {
	if c.Descending {
		return "descending"
	}
	return "ascending"
}

// spelled is a type with the fields of user-defined types, which may differ under one name.
func spelled(t *codec.Type) string {
	if t.Kind != codec.UDT {
		return t.String()
	}
	fields := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = f.Name + " " + f.Type.String()
	}
	return fmt.Sprintf("%s (%s)", t, strings.Join(fields, ", "))
}

// sameBytes reports whether equal values of two types have equal bytes: those of one type, and of
// types that are texts or bytes, or UUIDs.
func sameBytes(a, b *codec.Type) bool { return alike(a, b, wordsAndIDs) }

// sameOrder reports whether, in addition, values of two types are in one order. Those of uuid and
// timeuuid are not.
func sameOrder(a, b *codec.Type) bool { return alike(a, b, wordsOnly) }

// wordsAndIDs are kinds whose values have the same bytes. Those of wordsOnly are in one order too.
var (
	wordsAndIDs = [][]codec.Kind{{codec.Ascii, codec.Text, codec.Blob}, {codec.UUID, codec.Timeuuid}}
	wordsOnly   = wordsAndIDs[:1]
)

func alike(a, b *codec.Type, groups [][]codec.Kind) bool {
	if a.Kind != b.Kind {
		return slices.ContainsFunc(groups, func(kinds []codec.Kind) bool {
			return slices.Contains(kinds, a.Kind) && slices.Contains(kinds, b.Kind)
		})
	}
	if a.Kind == codec.Custom && a.Name != b.Name || a.Dim != b.Dim || len(a.Elems) != len(b.Elems) || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Elems {
		of := groups
		if i == 0 && (a.Kind == codec.Set || a.Kind == codec.Map) {
			of = wordsOnly // elements are written down in their order
		}
		if !alike(a.Elems[i], b.Elems[i], of) {
			return false
		}
	}
	for i, f := range a.Fields {
		if f.Name != b.Fields[i].Name || !alike(f.Type, b.Fields[i].Type, groups) {
			return false
		}
	}
	return true
}
