package cqlfake

import (
	"unicode/utf8"

	"github.com/datastax/go-cassandra-native-protocol/datatype"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
)

var natives = map[codec.Kind]datatype.DataType{
	codec.Ascii: datatype.Ascii, codec.Bigint: datatype.Bigint, codec.Blob: datatype.Blob, codec.Boolean: datatype.Boolean,
	codec.Counter: datatype.Counter, codec.Date: datatype.Date, codec.Decimal: datatype.Decimal, codec.Double: datatype.Double, codec.Duration: datatype.Duration,
	codec.Float: datatype.Float, codec.Inet: datatype.Inet, codec.Int: datatype.Int, codec.Smallint: datatype.Smallint,
	codec.Text: datatype.Varchar, codec.Time: datatype.Time, codec.Timestamp: datatype.Timestamp, codec.Timeuuid: datatype.Timeuuid,
	codec.Tinyint: datatype.Tinyint, codec.UUID: datatype.Uuid, codec.Varint: datatype.Varint,
}

// native is the type as results name it.
func native(t *codec.Type) datatype.DataType {
	switch t.Kind {
	case codec.List:
		return datatype.NewList(native(t.Elems[0]))
	case codec.Set:
		return datatype.NewSet(native(t.Elems[0]))
	case codec.Map:
		return datatype.NewMap(native(t.Elems[0]), native(t.Elems[1]))
	case codec.Tuple:
		var elems []datatype.DataType
		for _, e := range t.Elems {
			elems = append(elems, native(e))
		}
		return datatype.NewTuple(elems...)
	case codec.UDT:
		named := &datatype.UserDefined{Keyspace: t.Keyspace, Name: t.Name}
		for _, f := range t.Fields {
			named.FieldNames, named.FieldTypes = append(named.FieldNames, f.Name), append(named.FieldTypes, native(f.Type))
		}
		return named
	case codec.Vector:
		return datatype.NewCustom(t.Class())
	}
	return natives[t.Kind]
}

// widths are the bytes of the types of one width, with what Cassandra says of others.
var widths = map[codec.Kind]struct {
	bytes int
	empty bool // is a value too
	says  string
}{
	codec.Bigint:    {8, true, "Expected 8 or 0 byte long (%d)"},
	codec.Boolean:   {1, true, "Expected 1 or 0 byte value (%d)"},
	codec.Counter:   {8, true, "Expected 8 or 0 byte long (%d)"},
	codec.Date:      {4, false, "Expected 4 byte long for date (%d)"},
	codec.Double:    {8, true, "Expected 8 or 0 byte value for a double (%d)"},
	codec.Float:     {4, true, "Expected 4 or 0 byte value for a float (%d)"},
	codec.Int:       {4, true, "Expected 4 or 0 byte int (%d)"},
	codec.Smallint:  {2, false, "Expected 2 bytes for a smallint (%d)"},
	codec.Time:      {8, false, "Expected 8 byte long for time (%d)"},
	codec.Timestamp: {8, true, "Expected 8 or 0 byte long for date (%d)"},
	codec.Timeuuid:  {16, true, "UUID should be 16 or 0 bytes (%d)"},
	codec.Tinyint:   {1, false, "Expected 1 byte for a tinyint (%d)"},
	codec.UUID:      {16, true, "UUID should be 16 or 0 bytes (%d)"},
}

// checked refuses bytes that are no value of the type, and returns them as a server
// keeps them: sets and maps in their order.
func checked(t *codec.Type, b []byte) []byte {
	validate(t, b)
	if len(t.Elems)+len(t.Fields) == 0 || len(b) == 0 {
		return b
	}
	return arranged(t, b)
}

func validate(t *codec.Type, b []byte) {
	if w, fixed := widths[t.Kind]; fixed {
		if len(b) != w.bytes && (len(b) != 0 || !w.empty) {
			refuse(invalid(w.says, len(b)))
		}
		if t.Kind == codec.Timeuuid && len(b) > 0 && b[6]>>4 != 1 { // it says half of the first byte, as a server does
			refuse(invalid("Invalid version for TimeUUID type: 0x%x", b[0]>>4))
		}
		return
	}
	switch t.Kind {
	case codec.Text:
		if !utf8.Valid(b) {
			refuse(invalid("String didn't validate."))
		}
	case codec.Ascii:
		for _, c := range b {
			if c >= utf8.RuneSelf {
				refuse(invalid("Invalid byte for ascii: %d", int8(c)))
			}
		}
	case codec.Blob:
	default:
		if _, err := codec.AppendJSON(nil, t, b); err != nil {
			refuse(unknown("what a server says of bytes that are no %s", t))
		}
	}
}

// compare is the order of values, of clustering keys and of sets. There is none here
// for decimal, varint, duration and what is made of other types.
func compare(t *codec.Type) func(a, b []byte) int {
	switch t.Kind {
	case codec.Ascii, codec.Text, codec.Blob, codec.Boolean, codec.Date, codec.Inet, codec.Bigint, codec.Int, codec.Smallint,
		codec.Tinyint, codec.Time, codec.Timestamp, codec.Double, codec.Float, codec.UUID, codec.Timeuuid:
		if order, err := keyorder.Of(t); err == nil {
			return order
		}
	}
	return nil
}

func signed(b []byte) int64 {
	v := int64(int8(b[0]))
	for _, c := range b[1:] {
		v = v<<8 | int64(c)
	}
	return v
}
