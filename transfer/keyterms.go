package transfer

import (
	"errors"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// terms are bind markers for encoded values, with the values and their types. The driver cannot
// bind a tuple to one marker, so it is written as a literal of its elements. So texts differ by
// which elements are null.
type terms struct {
	texts  []string
	values [][]byte
	types  []*codec.Type
}

// hasTuple reports whether a column is a tuple.
func hasTuple(columns []schema.Column) bool {
	return slices.ContainsFunc(columns, func(c schema.Column) bool { return c.Type.Kind == codec.Tuple })
}

// termsOf returns the terms of the columns of a key.
func termsOf(columns []schema.Column, key [][]byte) (t terms, err error) {
	for i, c := range columns {
		text, err := t.term(c.Type, key[i])
		if err != nil {
			return t, err
		}
		t.texts = append(t.texts, text)
	}
	return t, nil
}

var errTupleBytes = errors.New("the bytes of a tuple are none")

// term adds a value, and returns its text.
func (t *terms) term(typ *codec.Type, value []byte) (string, error) {
	switch {
	case typ.Kind != codec.Tuple:
		t.values, t.types = append(t.values, value), append(t.types, typ)
		return "?", nil
	case value == nil:
		return "null", nil
	}
	texts := make([]string, len(typ.Elems))
	for i, e := range typ.Elems {
		texts[i] = "null" // also an element that is not there any more
		if len(value) == 0 {
			continue
		}
		part, rest, ok := element(value)
		if !ok {
			return "", errTupleBytes
		}
		if value = rest; part == nil {
			continue
		}
		var err error
		if texts[i], err = t.term(e, part); err != nil {
			return "", err
		}
	}
	return "(" + strings.Join(texts, ", ") + ")", nil
}

// where is the condition that finds a key.
func (t *terms) where(columns []schema.Column) string {
	conditions := make([]string, len(columns))
	for i, c := range columns {
		conditions[i] = schema.Quote(c.Name) + " = " + t.texts[i]
	}
	return strings.Join(conditions, " AND ")
}
