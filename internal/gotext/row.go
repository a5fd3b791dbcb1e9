package gotext

import (
	"bytes"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// Row writes and reads rows of a struct with `cql` tags as JSON.
type Row[T any] struct{ cell *Cell }

// NewRow makes the plan of a T. It is nil if T is not a struct with `cql` tags: such rows are left
// to encoding/json.
func NewRow[T any](loose bool) (*Row[T], error) {
	rt := reflect.TypeFor[T]()
	if rt.Kind() != reflect.Struct {
		return nil, nil //nolint:nilnil // said above
	}
	if fields, isStruct, err := codec.TaggedFields[T](); err != nil || !isStruct || len(fields) == 0 {
		return nil, nil //nolint:nilnil,nilerr // a struct without tags; sinks and sources of Cassandra say what is wrong with others
	}
	c, err := NewPlans(loose).Of(rt)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be kept as JSON: %w", codec.A(rt), err)
	}
	return &Row[T]{c}, nil
}

// Append adds a row.
func (r *Row[T]) Append(dst []byte, row *T) ([]byte, error) {
	return r.cell.AppendJSON(dst, unsafe.Pointer(row))
}

// Read reads a line into a zero T.
func (r *Row[T]) Read(line []byte, row *T) error {
	if err := jsonline.Check(line); err != nil {
		return err
	}
	return r.cell.ReadJSON(unsafe.Pointer(row), bytes.TrimSpace(line))
}
