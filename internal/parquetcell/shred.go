package parquetcell

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql/internal/codec"
)

// Shredder turns rows of encoded values into rows of Parquet. It belongs to one goroutine.
type Shredder struct {
	schema *Schema
	leaves [][]parquet.Value
	text   []byte // of values that are written as text
	row    parquet.Row
}

// NewShredder makes a Shredder for rows of a schema.
func (s *Schema) NewShredder() *Shredder {
	return &Shredder{schema: s, leaves: make([][]parquet.Value, s.leaves)}
}

// Row shreds a row: one encoded value for each column of the schema, nil for null. The row that it
// returns is valid until the next call, and as long as the cells are.
func (s *Shredder) Row(cells [][]byte) (parquet.Row, error) {
	for i := range s.leaves {
		s.leaves[i] = s.leaves[i][:0]
	}
	s.text = s.text[:0]
	for i, sh := range s.schema.shapes {
		if err := s.put(sh, cells[i], 0, 0); err != nil {
			col := s.schema.columns[i]
			return nil, fmt.Errorf("column %q (%s): %w", col.Name, col.Type, err)
		}
	}
	s.row = s.row[:0]
	for _, values := range s.leaves {
		s.row = append(s.row, values...)
	}
	return s.row, nil
}

// null puts a null into all leaves of a node: one that is defined up to a level.
func (s *Shredder) null(sh *shape, repetition, defined int) {
	for i := sh.first; i < sh.last; i++ {
		s.leaves[i] = append(s.leaves[i], parquet.Value{}.Level(repetition, defined, i))
	}
}

// put shreds a value that comes at a repetition level. defined is the definition level of what it
// is in.
func (s *Shredder) put(sh *shape, data []byte, repetition, defined int) error {
	if data == nil {
		if defined == sh.present {
			return errors.New("a null stands where none may be")
		}
		s.null(sh, repetition, defined)
		return nil
	}
	switch sh.form {
	case formList:
		return s.list(sh, data, repetition)
	case formMap:
		return s.entries(sh, data, repetition)
	case formGroup:
		return s.fields(sh, data, repetition)
	}
	value, err := s.scalar(sh.typ, data)
	if err != nil {
		return err
	}
	s.leaves[sh.first] = append(s.leaves[sh.first], value.Level(repetition, sh.present, sh.first))
	return nil
}

func (s *Shredder) list(sh *shape, data []byte, repetition int) error {
	in := splitter{data}
	n, next := sh.typ.Dim, func() ([]byte, error) { return in.packed(sh.typ.Elems[0]) }
	if sh.typ.Kind != codec.Vector {
		if len(data) == 0 {
			return errEmpty
		}
		var err error
		if n, err = in.int32(); err != nil || n < 0 {
			return errCorrupt
		}
		next = in.element
	}
	if n == 0 {
		s.null(sh, repetition, sh.present)
		return in.end()
	}
	for range n {
		element, err := next()
		if err == nil {
			err = s.put(sh.kids[0], element, repetition, sh.element)
		}
		if err != nil {
			return err
		}
		repetition = sh.repeats
	}
	return in.end()
}

func (s *Shredder) entries(sh *shape, data []byte, repetition int) error {
	if len(data) == 0 {
		return errEmpty
	}
	in := splitter{data}
	n, err := in.int32()
	if err != nil || n < 0 {
		return errCorrupt
	}
	if n == 0 {
		s.null(sh, repetition, sh.present)
		return in.end()
	}
	for range n {
		for _, kid := range sh.kids {
			part, err := in.element()
			if err == nil {
				err = s.put(kid, part, repetition, sh.element)
			}
			if err != nil {
				return err
			}
		}
		repetition = sh.repeats
	}
	return in.end()
}

// fields shreds a tuple or a user-defined type. Fields that its type got later, which the value
// does not have, are null.
func (s *Shredder) fields(sh *shape, data []byte, repetition int) error {
	in := splitter{data}
	for i, kid := range sh.kids {
		if len(in.rest) == 0 {
			s.null(kid, repetition, sh.present)
			continue
		}
		part, err := in.element()
		if err == nil {
			err = s.put(kid, part, repetition, sh.present)
		}
		if err != nil {
			return fmt.Errorf("field %d: %w", i+1, err)
		}
	}
	return in.end()
}

// scalar makes the value of a type without parameters.
func (s *Shredder) scalar(t *codec.Type, data []byte) (parquet.Value, error) {
	var none parquet.Value
	number := func(width int) (uint64, error) {
		switch {
		case len(data) == 0:
			return 0, errEmpty
		case len(data) != width:
			return 0, errCorrupt
		}
		var v uint64
		for _, b := range data {
			v = v<<8 | uint64(b)
		}
		return v, nil
	}
	switch t.Kind {
	case codec.Blob, codec.Custom:
		return parquet.ByteArrayValue(data), nil
	case codec.Ascii, codec.Text:
		if !utf8.Valid(data) {
			return none, errors.New("the text is not UTF-8")
		}
		return parquet.ByteArrayValue(data), nil
	case codec.Varint, codec.Decimal, codec.Inet, codec.Duration:
		if len(data) == 0 {
			return none, errEmpty
		}
		before := len(s.text)
		text, err := codec.AppendText(s.text, t, data)
		if err != nil {
			return none, err
		}
		s.text = text
		return parquet.ByteArrayValue(text[before:len(text):len(text)]), nil
	case codec.Boolean:
		v, err := number(1)
		return parquet.BooleanValue(v != 0), err
	case codec.Tinyint:
		v, err := number(1)
		return parquet.Int32Value(int32(int8(v))), err //nolint:gosec // the bytes are signed
	case codec.Smallint:
		v, err := number(2)
		return parquet.Int32Value(int32(int16(v))), err //nolint:gosec // the bytes are signed
	case codec.Int:
		v, err := number(4)
		return parquet.Int32Value(int32(v)), err //nolint:gosec // the bytes are signed
	case codec.Date: // days from -5877641-06-23 on, of which 1970-01-01 is number 2^31
		v, err := number(4)
		return parquet.Int32Value(int32(uint32(v) ^ 1<<31)), err //nolint:gosec // all of the range
	case codec.Time:
		v, err := number(8)
		if err == nil && v >= uint64(24*time.Hour) {
			err = errCorrupt
		}
		return parquet.Int64Value(int64(v)), err //nolint:gosec // checked
	case codec.Bigint, codec.Counter, codec.Timestamp:
		v, err := number(8)
		return parquet.Int64Value(int64(v)), err //nolint:gosec // the bytes are signed
	case codec.Float:
		v, err := number(4)
		return parquet.FloatValue(math.Float32frombits(uint32(v))), err //nolint:gosec // four bytes
	case codec.Double:
		v, err := number(8)
		return parquet.DoubleValue(math.Float64frombits(v)), err
	case codec.UUID, codec.Timeuuid:
		if len(data) != 16 {
			_, err := number(16)
			return none, err
		}
		return parquet.FixedLenByteArrayValue(data), nil
	}
	return none, fmt.Errorf("a %s has no form in Parquet", t)
}

// beInt32 appends a number of four bytes.
func beInt32(dst []byte, v int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v)) } //nolint:gosec // bits
