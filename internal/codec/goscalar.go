package codec

import (
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"
)

var (
	typeTime         = reflect.TypeFor[time.Time]()
	typeBigInt       = reflect.TypeFor[big.Int]()
	typeDec          = reflect.TypeFor[inf.Dec]()
	typeDuration     = reflect.TypeFor[gocql.Duration]()
	typeStdDuration  = reflect.TypeFor[time.Duration]()
	typeAddr         = reflect.TypeFor[netip.Addr]()
	typeIP           = reflect.TypeFor[net.IP]()
	typeAny          = reflect.TypeFor[any]()
	typeNumber       = reflect.TypeFor[json.Number]()
	typeMarshaler    = reflect.TypeFor[gocql.Marshaler]()
	typeUnmarshaler  = reflect.TypeFor[gocql.Unmarshaler]()
	typeUDTMarshal   = reflect.TypeFor[gocql.UDTMarshaler]()
	typeUDTUnmarshal = reflect.TypeFor[gocql.UDTUnmarshaler]()
)

// scalarStruct reports whether a struct type is one value rather than a row or a user-defined type.
func scalarStruct(rt reflect.Type) bool {
	switch rt {
	case typeTime, typeBigInt, typeDec, typeDuration, typeAddr:
		return true
	}
	if _, ok := nullStruct(rt); ok {
		return true
	}
	pt := reflect.PointerTo(rt)
	return pt.Implements(typeMarshaler) || pt.Implements(typeUnmarshaler) ||
		pt.Implements(typeUDTMarshal) || pt.Implements(typeUDTUnmarshal)
}

// nullStruct recognizes sql.Null[X], sql.NullString and the like: a value first, then Valid. It
// returns the value's field.
func nullStruct(rt reflect.Type) (value reflect.StructField, ok bool) {
	if rt.Kind() != reflect.Struct || rt.PkgPath() != "database/sql" || !strings.HasPrefix(rt.Name(), "Null") ||
		rt.NumField() != 2 || rt.Field(1).Name != "Valid" {
		return reflect.StructField{}, false
	}
	return rt.Field(0), true
}

// NaturalType is the Go type that a value gets where any is asked for: that of gocql, but a time is
// a time.Duration.
func NaturalType(t *Type) (reflect.Type, error) {
	if rt, ok := natural[t.Kind]; ok {
		return rt, nil
	}
	switch t.Kind {
	case List, Set, Vector:
		et, err := NaturalType(t.Elems[0])
		if err != nil {
			return nil, err
		}
		return reflect.SliceOf(et), nil
	case Map:
		kt, err := NaturalType(t.Elems[0])
		if err != nil {
			return nil, err
		}
		if !goodKey(kt) {
			return nil, &noFit{t: t, rt: typeAny, reason: "a " + t.String() + " has no natural Go type, since " + kt.String() +
				" is no key of a Go map", remedy: "name the Go type"}
		}
		vt, err := NaturalType(t.Elems[1])
		if err != nil {
			return nil, err
		}
		return reflect.MapOf(kt, vt), nil
	}
	return nil, &noFit{t: t, rt: typeAny, reason: "a " + t.String() + " has no natural Go type", remedy: "name the Go type"}
}

// goodKey reports whether values of a type can be keys of a Go map, and are equal when they are the
// same CQL value. What an interface holds may not be comparable, and pointers differ although the
// values are the same.
func goodKey(rt reflect.Type) bool {
	switch rt.Kind() {
	case reflect.Interface, reflect.Pointer:
		return false
	case reflect.Array:
		return goodKey(rt.Elem())
	case reflect.Struct:
		if rt == typeTime {
			return true // its location is always UTC here
		}
		for i := range rt.NumField() {
			if rt != typeAddr && !goodKey(rt.Field(i).Type) {
				return false
			}
		}
	}
	return rt.Comparable()
}

var natural = map[Kind]reflect.Type{
	Ascii:     reflect.TypeFor[string](),
	Bigint:    reflect.TypeFor[int64](),
	Blob:      reflect.TypeFor[[]byte](),
	Boolean:   reflect.TypeFor[bool](),
	Counter:   reflect.TypeFor[int64](),
	Date:      typeTime,
	Decimal:   reflect.PointerTo(typeDec),
	Double:    reflect.TypeFor[float64](),
	Duration:  typeDuration,
	Float:     reflect.TypeFor[float32](),
	Inet:      typeIP,
	Int:       reflect.TypeFor[int](),
	Smallint:  reflect.TypeFor[int16](),
	Text:      reflect.TypeFor[string](),
	Time:      typeStdDuration,
	Timestamp: typeTime,
	Timeuuid:  reflect.TypeFor[gocql.UUID](),
	Tinyint:   reflect.TypeFor[int8](),
	UUID:      reflect.TypeFor[gocql.UUID](),
	Varint:    reflect.PointerTo(typeBigInt),
	Tuple:     reflect.TypeFor[[]any](),
	UDT:       reflect.TypeFor[map[string]any](),
	Custom:    reflect.TypeFor[[]byte](),
}
