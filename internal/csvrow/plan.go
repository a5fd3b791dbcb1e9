package csvrow

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/gotext"
)

// Plan writes and reads the tagged fields of a T as fields of CSV.
type Plan[T any] struct {
	names []string
	cells []*gotext.Cell
	at    []codec.Tagged
	null  string
}

// NewPlan makes the plan of a struct with cql tags. Everything that does not fit
// is reported at once.
func NewPlan[T any](null string) (*Plan[T], error) {
	fields, isStruct, err := codec.TaggedFields[T]()
	if err != nil {
		return nil, err
	}
	if !isStruct {
		return nil, fmt.Errorf("%s has no columns to name in the header; use a struct with `cql` tags", codec.A(reflect.TypeFor[T]()))
	}
	p := &Plan[T]{at: fields, null: null}
	var errs []error
	nullable := false
	plans := gotext.NewPlans(false)
	for _, f := range fields {
		c, err := plans.Of(f.Type)
		if err == nil && gotext.TwoNulls(f.Type) {
			err = errTwoNulls
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("field %s (%s): %w", f.Path, f.Type, err))
		}
		nullable = nullable || c.Null != nil
		p.names, p.cells = append(p.names, f.Name), append(p.cells, c)
	}
	if len(fields) == 1 && nullable && null == "" {
		errs = append(errs, fmt.Errorf("field %s: the null of a single column would be an empty line; "+
			"give a NullText", fields[0].Path))
	}
	return p, errors.Join(errs...)
}

// Columns are the names of the columns, in the order of the fields.
func (p *Plan[T]) Columns() []string { return p.names }

// Append writes a row and ends its line.
func (p *Plan[T]) Append(dst []byte, row *T) ([]byte, error) {
	for i, c := range p.cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		at := unsafe.Add(unsafe.Pointer(row), p.at[i].Offset)
		if c.Null != nil && c.Null(at) {
			dst = append(dst, p.null...)
			continue
		}
		start := len(dst)
		var err error
		if dst, err = c.Append(dst, at); err == nil && !utf8.Valid(dst[start:]) {
			err = ErrNotUTF8
		}
		if err != nil {
			return dst, p.wrong(i, err)
		}
		if text := dst[start:]; needsQuotes(text, p.null) {
			dst = AppendField(dst[:start], slices.Clone(text), p.null)
		}
	}
	return append(dst, '\n'), nil
}

func (p *Plan[T]) wrong(i int, err error) error {
	return fmt.Errorf("column %q (%s): %w", p.names[i], p.at[i].Type, err)
}

var errTwoNulls = errors.New("CSV has one null, and this type two; use one pointer or sql.Null")

// ErrNotUTF8: a value's text is not UTF-8, as a file of CSV must be.
var ErrNotUTF8 = errors.New("text that is not UTF-8 cannot be written; use []byte")

var errNotUTF8 = errors.New("the field is not UTF-8")

// Read reads fields into a zero T; order[i] is the place of column i among them.
// A null is a nil pointer, an invalid sql.Null, a nil slice or map, or else the
// zero value.
func (p *Plan[T]) Read(fields []Field, order []int, row *T) error {
	for i, c := range p.cells {
		f := fields[order[i]]
		if f.Null(p.null) {
			continue
		}
		if !utf8.Valid(f.Text) {
			return p.wrong(i, errNotUTF8)
		}
		if err := c.Read(unsafe.Add(unsafe.Pointer(row), p.at[i].Offset), f.Text); err != nil {
			return p.wrong(i, err)
		}
	}
	return nil
}
