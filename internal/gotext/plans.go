package gotext

import (
	"encoding"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

var (
	typeTextMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	typeTextUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	typeJSONMarshaler   = reflect.TypeFor[json.Marshaler]()
	typeJSONUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
)

// Plans makes cells. With loose, fields of JSON objects that a struct has not are
// passed over.
type Plans struct {
	loose bool
	made  map[reflect.Type]*Cell
}

// NewPlans returns a maker of cells.
func NewPlans(loose bool) *Plans { return &Plans{loose, map[reflect.Type]*Cell{}} }

// Of gives the cell of a type. A type that refers to itself refers to its cell.
func (b *Plans) Of(rt reflect.Type) (*Cell, error) {
	if c := b.made[rt]; c != nil {
		return c, nil
	}
	c := &Cell{kind: rt.Kind()}
	b.made[rt] = c
	if err := b.fill(c, rt); err != nil {
		delete(b.made, rt)
		return c, err
	}
	return c, nil
}

// fill: what tells null first, then the types that CQL values are held in, then a
// type's own methods, then the kinds.
func (b *Plans) fill(c *Cell, rt reflect.Type) error {
	if rt.Kind() == reflect.Pointer {
		return b.pointer(c, rt)
	}
	if value, valid, ok := codec.NullStruct(rt); ok {
		return b.null(c, value, valid.Offset)
	}
	switch rt {
	case reflect.TypeFor[time.Time]():
		timestamps(c)
		return nil
	case reflect.TypeFor[time.Duration]():
		durations(c)
		return nil
	case reflect.TypeFor[gocql.Duration]():
		cqlDurations(c)
		return nil
	case reflect.TypeFor[big.Int]():
		varints(c)
		return nil
	case reflect.TypeFor[inf.Dec]():
		decimals(c)
		return nil
	case reflect.TypeFor[netip.Addr]():
		addresses(c)
		return nil
	case reflect.TypeFor[net.IP]():
		ips(c)
		return nil
	case reflect.TypeFor[gocql.UUID]():
		uuids(c)
		return nil
	case reflect.TypeFor[json.Number]():
		kinds(c, rt.Kind())
		c.json = &Cell{}
		return b.json(c.json, rt)
	}
	return b.own(c, rt)
}

// own serves types with methods of their own, of which some know one direction alone, and then
// all others.
func (b *Plans) own(c *Cell, rt reflect.Type) error {
	pt := reflect.PointerTo(rt)
	inJSON := pt.Implements(typeJSONMarshaler) || pt.Implements(typeJSONUnmarshaler)
	switch writes, reads := pt.Implements(typeTextMarshaler), pt.Implements(typeTextUnmarshaler); {
	case writes && reads:
		texts(c, rt)
		if !inJSON {
			return jsonline.CheckType(rt)
		}
	case pt.Implements(typeJSONMarshaler) && (pt.Implements(typeJSONUnmarshaler) || rt.Kind() == reflect.Struct):
		return b.json(c, rt)
	default:
		if !kinds(c, rt.Kind()) {
			if err := b.parts(c, rt); err != nil {
				return err
			}
		}
		if inJSON = inJSON || writes || reads; !inJSON {
			return nil
		}
	}
	c.json = &Cell{}
	return b.json(c.json, rt)
}

// parts serves kinds that consist of other values.
func (b *Plans) parts(c *Cell, rt reflect.Type) error {
	switch rt.Kind() {
	case reflect.Slice:
		if rt.Elem().Kind() == reflect.Uint8 {
			bytesOf(c)
			return nil
		}
		return b.slice(c, rt)
	case reflect.Array:
		if rt.Len() == 16 && rt.Elem().Kind() == reflect.Uint8 {
			uuids(c)
			return nil
		}
		return b.array(c, rt)
	case reflect.Map:
		return b.mapping(c, rt)
	case reflect.Interface:
		if rt.NumMethod() == 0 {
			return b.json(c, rt)
		}
	case reflect.Struct:
		if codecStruct(rt) || embedsPointer(rt) {
			return b.json(c, rt)
		}
		return b.object(c, rt)
	}
	return errors.New("it has no text; give it MarshalText and UnmarshalText")
}

// codecStruct reports whether only a struct's own methods know what it means in
// CQL: what it is as text encoding/json decides.
func codecStruct(rt reflect.Type) bool {
	pt := reflect.PointerTo(rt)
	for _, of := range []reflect.Type{
		reflect.TypeFor[gocql.Marshaler](), reflect.TypeFor[gocql.Unmarshaler](),
		reflect.TypeFor[gocql.UDTMarshaler](), reflect.TypeFor[gocql.UDTUnmarshaler](),
	} {
		if pt.Implements(of) {
			return true
		}
	}
	return false
}
