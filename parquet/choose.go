package parquet

import (
	"errors"
	"fmt"
	"strings"

	pq "github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/parquetcell"
	"github.com/rxcql/rxcql/internal/schema"
)

// rowColumns chooses, for undecoded rows, the columns of the file that are given types.
func rowColumns(root *pq.Column, given []rxcql.Column, _ parquetcell.Rules) (columns []rxcql.Column, err error) {
	for _, c := range given {
		if root.Column(c.Name) != nil {
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		err = fmt.Errorf("none of the columns %s is in the file, which has %s", names(given), namesOf(root))
	}
	return columns, err
}

// structColumns chooses the columns of a struct, and the CQL type in which each is read: the given
// one, else that of the Go type, else that of the file.
func structColumns[T any](root *pq.Column, given []rxcql.Column, rules parquetcell.Rules) ([]rxcql.Column, error) {
	fields, _, err := codec.TaggedFields[T]()
	if err != nil {
		return nil, err
	}
	var columns []rxcql.Column
	var errs []error
	for _, f := range fields {
		from := root.Column(f.Name)
		if from == nil {
			errs = append(errs, fmt.Errorf("column %q (field %s) is not in the file%s", f.Name, f.Path, schema.Meant(f.Name, listOf(root))))
			continue
		}
		t := typeGiven(given, f.Name)
		if t == nil {
			if t, err = typeFor(from, f, rules); err != nil {
				errs = append(errs, fmt.Errorf("column %q: %w", f.Name, err))
				continue
			}
		}
		columns = append(columns, rxcql.Column{Name: f.Name, Type: t})
	}
	return columns, errors.Join(append(errs, codec.FitsSome[T](columns))...)
}

func typeGiven(given []rxcql.Column, name string) *rxcql.ColumnType {
	for _, c := range given {
		if c.Name == name {
			return c.Type
		}
	}
	return nil
}

// typeFor chooses the CQL type between a column of the file and a Go field.
func typeFor(from *pq.Column, f codec.Tagged, rules parquetcell.Rules) (*rxcql.ColumnType, error) {
	var why error
	if t, known := parquetcell.ForGo(f.Type); known {
		if why = parquetcell.Fits(from, t, rules); why == nil {
			return t, nil
		}
	}
	t, err := parquetcell.Natural(from)
	switch {
	case err != nil:
		return nil, errors.Join(why, err)
	case parquetcell.Fits(from, t, rules) != nil:
		return nil, why
	}
	return t, nil
}

func names(columns []rxcql.Column) string {
	var all []string
	for _, c := range columns {
		all = append(all, c.Name)
	}
	return strings.Join(all, ", ")
}

func listOf(root *pq.Column) (all []string) {
	for _, c := range root.Columns() {
		all = append(all, c.Name())
	}
	return all
}

func namesOf(root *pq.Column) string { return strings.Join(listOf(root), ", ") }
