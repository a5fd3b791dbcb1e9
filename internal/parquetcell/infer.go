package parquetcell

import (
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"time"

	"github.com/gocql/gocql"
	"github.com/parquet-go/parquet-go"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
)

// Natural returns the CQL type that holds the values of a column best: that of its Parquet type,
// without regard to where the rows go.
func Natural(c *parquet.Column) (*codec.Type, error) {
	t, err := naturalInside(c)
	if err == nil && c.Repeated() {
		t = &codec.Type{Kind: codec.List, Elems: []*codec.Type{t}}
	}
	return t, err
}

func naturalInside(c *parquet.Column) (*codec.Type, error) {
	if c.Leaf() {
		kind, known := senseOf(c.Type()).natural()
		if !known {
			return nil, fmt.Errorf("%w: no CQL type is known for %s", errNoFit, describe(c))
		}
		return &codec.Type{Kind: kind}, nil
	}
	if repeated, element := elementOf(c); repeated != nil {
		of := Natural
		if element == repeated {
			of = naturalInside
		}
		t, err := of(element)
		return &codec.Type{Kind: codec.List, Elems: []*codec.Type{t}}, err
	}
	t := &codec.Type{Kind: codec.UDT, Name: c.Name(), Frozen: true}
	in := c
	if repeated := entriesOf(c); repeated != nil {
		t, in = &codec.Type{Kind: codec.Map}, repeated
	}
	for _, f := range in.Columns() {
		of, err := Natural(f)
		if err != nil {
			return nil, err
		}
		if t.Kind == codec.Map {
			t.Elems = append(t.Elems, of)
		} else {
			t.Fields = append(t.Fields, codec.Field{Name: f.Name(), Type: of})
		}
	}
	return t, nil
}

// goTypes are the CQL types of Go types that are one value.
var goTypes = map[reflect.Type]codec.Kind{
	reflect.TypeFor[time.Time]():      codec.Timestamp,
	reflect.TypeFor[time.Duration]():  codec.Duration,
	reflect.TypeFor[gocql.Duration](): codec.Duration,
	reflect.TypeFor[gocql.UUID]():     codec.UUID,
	reflect.TypeFor[big.Int]():        codec.Varint,
	reflect.TypeFor[inf.Dec]():        codec.Decimal,
	reflect.TypeFor[net.IP]():         codec.Inet,
	reflect.TypeFor[netip.Addr]():     codec.Inet,
}

var goKinds = map[reflect.Kind]codec.Kind{
	reflect.Bool: codec.Boolean, reflect.String: codec.Text,
	reflect.Int8: codec.Tinyint, reflect.Int16: codec.Smallint, reflect.Int32: codec.Int,
	reflect.Int64: codec.Bigint, reflect.Int: codec.Bigint,
	reflect.Uint8: codec.Smallint, reflect.Uint16: codec.Int, reflect.Uint32: codec.Bigint,
	reflect.Uint64: codec.Bigint, reflect.Uint: codec.Bigint,
	reflect.Float32: codec.Float, reflect.Float64: codec.Double,
}

var (
	typeMarshaler   = reflect.TypeFor[gocql.Marshaler]()
	typeUnmarshaler = reflect.TypeFor[gocql.Unmarshaler]()
)

// ForGo returns the CQL type in which values of a Go type are kept; false if it says none, as an
// interface, or a type with methods of its own for CQL.
func ForGo(rt reflect.Type) (*codec.Type, bool) { return forGo(rt, 0) }

// maxDepth is how deep Go types may be nested, since a struct may lead to itself.
const maxDepth = 32

func forGo(rt reflect.Type, depth int) (*codec.Type, bool) {
	if depth++; depth > maxDepth {
		return nil, false
	}
	for rt.Kind() == reflect.Pointer {
		rt = rt.Elem()
	}
	if kind, known := goTypes[rt]; known {
		return &codec.Type{Kind: kind}, true
	}
	if pt := reflect.PointerTo(rt); pt.Implements(typeMarshaler) || pt.Implements(typeUnmarshaler) {
		return nil, false
	}
	if value, _, is := codec.NullStruct(rt); is {
		return forGo(value.Type, depth)
	}
	if kind, known := goKinds[rt.Kind()]; known {
		return &codec.Type{Kind: kind}, true
	}
	switch rt.Kind() {
	case reflect.Slice, reflect.Array:
		switch {
		case rt.Elem().Kind() == reflect.Uint8 && rt.Kind() == reflect.Slice:
			return &codec.Type{Kind: codec.Blob}, true
		case rt.Elem().Kind() == reflect.Uint8 && rt.Len() == 16:
			return &codec.Type{Kind: codec.UUID}, true
		}
		return of(depth, codec.List, rt.Elem())
	case reflect.Map:
		if rt.Elem().Kind() == reflect.Struct && rt.Elem().NumField() == 0 {
			return of(depth, codec.Set, rt.Key())
		}
		return of(depth, codec.Map, rt.Key(), rt.Elem())
	case reflect.Struct:
		return structType(depth, rt)
	}
	return nil, false
}

func of(depth int, kind codec.Kind, elems ...reflect.Type) (*codec.Type, bool) {
	t := &codec.Type{Kind: kind}
	for _, e := range elems {
		et, known := forGo(e, depth)
		if !known {
			return nil, false
		}
		t.Elems = append(t.Elems, et)
	}
	return t, true
}

// structType is a user-defined type with the fields that cql tags name.
func structType(depth int, rt reflect.Type) (*codec.Type, bool) {
	t := &codec.Type{Kind: codec.UDT, Name: rt.Name(), Frozen: true}
	for i := range rt.NumField() {
		f := rt.Field(i)
		name, tagged := f.Tag.Lookup("cql")
		if !tagged || name == "-" || name == "" {
			continue
		}
		ft, known := forGo(f.Type, depth)
		if !known {
			return nil, false
		}
		t.Fields = append(t.Fields, codec.Field{Name: name, Type: ft})
	}
	return t, len(t.Fields) > 0
}
