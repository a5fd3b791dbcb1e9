package codec

import (
	"reflect"
	"unsafe"

	"github.com/gocql/gocql"
)

// compileDecode makes the decodeFunc for a CQL type and a Go type, or says why there is none. User
// code comes first, then what tells null, then the kinds.
func compileDecode(t *Type, rt reflect.Type) (decodeFunc, error) {
	return compileDecodeAt(t, rt, 0)
}

func compileDecodeAt(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	if depth > maxDepth {
		return nil, &noFit{t: t, rt: rt, reason: "the Go type is nested too deep"}
	}
	if reflect.PointerTo(rt).Implements(typeUnmarshaler) {
		return decodeUser(t, rt), nil
	}
	if t.Kind == UDT && reflect.PointerTo(rt).Implements(typeUDTUnmarshal) {
		return decodeUserUDT(t, rt), nil
	}
	if rt.Kind() == reflect.Pointer {
		return decodePointer(t, rt, depth)
	}
	if value, ok := nullStruct(rt); ok {
		return decodeNullStruct(t, rt, value, depth)
	}
	if rt == typeAny {
		return decodeAny(t, depth)
	}
	switch t.Kind {
	case Ascii, Text, Blob, Custom:
		return decodeText(t, rt)
	case Tinyint, Smallint, Int, Bigint, Counter:
		return decodeInt(t, rt)
	case Boolean, Float, Double:
		return decodeFixed(t, rt)
	case Varint:
		return decodeVarint(t, rt)
	case Decimal:
		return decodeDecimal(t, rt)
	case Timestamp, Date, Time, Duration:
		return decodeTemporal(t, rt)
	case UUID, Timeuuid:
		return decodeUUID(t, rt)
	case Inet:
		return decodeInet(t, rt)
	case List, Set:
		return decodeCollection(t, rt, depth)
	case Map:
		return decodeMap(t, rt, depth)
	case Tuple:
		return decodeTuple(t, rt, depth)
	case UDT:
		return decodeUDT(t, rt, depth)
	case Vector:
		return decodeVector(t, rt, depth)
	}
	return nil, unfit(t, rt)
}

// scalar makes a decodeFunc from a reader of one value. Null and the empty value, which the server
// allows for most kinds, are the zero value.
func scalar[G any](read func(data []byte) (G, error)) decodeFunc {
	return func(_ *decodeState, p unsafe.Pointer, data []byte) error {
		var v G
		var err error
		if len(data) != 0 {
			v, err = read(data)
		}
		*(*G)(p) = v
		return err
	}
}

// decodeUser hands the bytes to the type's own UnmarshalCQL, on a value that was zeroed. What it
// keeps is not known; it is taken to be as much as it was given. The bytes are a copy, since it may
// keep them.
func decodeUser(t *Type, rt reflect.Type) decodeFunc {
	info := t.Info()
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		v := reflect.NewAt(rt, p)
		v.Elem().SetZero()
		if data != nil {
			data = s.bytes(data)
		}
		if err := v.Interface().(gocql.Unmarshaler).UnmarshalCQL(info, data); err != nil {
			return &foreignError{"UnmarshalCQL of " + rt.String(), err}
		}
		return nil
	}
}

// decodeUserUDT hands the fields to the type's own UnmarshalUDT; it is not called for null.
func decodeUserUDT(t *Type, rt reflect.Type) decodeFunc {
	infos := make([]gocql.TypeInfo, len(t.Fields))
	for i, f := range t.Fields {
		infos[i] = f.Type.Info()
	}
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		v := reflect.NewAt(rt, p)
		v.Elem().SetZero()
		if data == nil {
			return nil
		}
		user := v.Interface().(gocql.UDTUnmarshaler)
		r := reader{s.bytes(data)}
		for i, f := range t.Fields {
			if r.empty() {
				break // fields added after the value was written are not there
			}
			cell, err := r.bytes()
			if err != nil {
				return err
			}
			if err := user.UnmarshalUDT(f.Name, infos[i], cell); err != nil {
				return &foreignError{"UnmarshalUDT of " + rt.String(), err}
			}
		}
		return r.end()
	}
}

// decodePointer makes a new value for every one that is not null, so that what an earlier row holds
// stays as it is.
func decodePointer(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	elem := rt.Elem()
	fn, err := compileDecodeAt(t, elem, depth+1)
	if err != nil {
		return nil, err
	}
	alloc, size := allocOne(elem), int(elem.Size())
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		if data == nil {
			*(*unsafe.Pointer)(p) = nil
			return nil
		}
		v := alloc()
		s.kept += size
		*(*unsafe.Pointer)(p) = v
		return fn(s, v, data)
	}, nil
}

// decodeNullStruct sets Valid for what is not null; the value is zero otherwise.
func decodeNullStruct(t *Type, rt reflect.Type, value reflect.StructField, depth int) (decodeFunc, error) {
	fn, err := compileDecodeAt(t, value.Type, depth+1)
	if err != nil {
		return nil, err
	}
	valid := rt.Field(1).Offset
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		*(*bool)(unsafe.Add(p, valid)) = data != nil
		return fn(s, unsafe.Add(p, value.Offset), data)
	}, nil
}

// decodeAny gives null as nil and everything else as the natural Go type of the CQL type.
func decodeAny(t *Type, depth int) (decodeFunc, error) {
	rt, err := NaturalType(t)
	if err != nil {
		return nil, err
	}
	fn, err := compileDecodeAt(t, rt, depth+1)
	if err != nil {
		return nil, err
	}
	size := int(rt.Size())
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		if data == nil {
			*(*any)(p) = nil
			return nil
		}
		v := reflect.New(rt)
		s.kept += size
		err := fn(s, v.UnsafePointer(), data)
		*(*any)(p) = v.Elem().Interface()
		return err
	}, nil
}
