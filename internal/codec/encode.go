package codec

import (
	"encoding/binary"
	"math"
	"reflect"
	"sync"
	"unsafe"

	"github.com/gocql/gocql"
)

// compileEncode makes the encodeFunc for a CQL type and a Go type, or says why there is none; see
// compileDecode.
func compileEncode(t *Type, rt reflect.Type) (encodeFunc, error) {
	return compileEncodeAt(t, rt, 0)
}

func compileEncodeAt(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	if depth > maxDepth {
		return nil, &noFit{t: t, rt: rt, reason: "the Go type is nested too deep"}
	}
	if rt.Implements(typeMarshaler) || reflect.PointerTo(rt).Implements(typeMarshaler) {
		return encodeUser(t, rt), nil
	}
	if t.Kind == UDT && (rt.Implements(typeUDTMarshal) || reflect.PointerTo(rt).Implements(typeUDTMarshal)) {
		return encodeUserUDT(t, rt), nil
	}
	if rt.Kind() == reflect.Pointer {
		return encodePointer(t, rt, depth)
	}
	if value, ok := nullStruct(rt); ok {
		return encodeNullStruct(t, rt, value, depth)
	}
	if rt == typeAny {
		return encodeAny(t, depth), nil
	}
	switch t.Kind {
	case Ascii, Text, Blob, Custom:
		return encodeText(t, rt)
	case Tinyint, Smallint, Int, Bigint, Counter:
		return encodeInt(t, rt)
	case Boolean, Float, Double:
		return encodeFixed(t, rt)
	case Varint:
		return encodeVarint(t, rt)
	case Decimal:
		return encodeDecimal(t, rt)
	case Timestamp, Date, Time, Duration:
		return encodeTemporal(t, rt)
	case UUID, Timeuuid:
		return encodeUUID(t, rt)
	case Inet:
		return encodeInet(t, rt)
	case List, Set:
		return encodeCollection(t, rt, depth)
	case Map:
		return encodeMap(t, rt, depth)
	case Tuple:
		return encodeTuple(t, rt, depth)
	case UDT:
		return encodeUDT(t, rt, depth)
	case Vector:
		return encodeVector(t, rt, depth)
	}
	return nil, unfit(t, rt)
}

// receiver gives the value at p in the form whose method set has the method, or nil for a nil
// pointer or interface.
func receiver(rt reflect.Type, p unsafe.Pointer) any {
	v := reflect.NewAt(rt, p)
	if rt.Kind() == reflect.Pointer || rt.Kind() == reflect.Interface {
		if v.Elem().IsNil() {
			return nil
		}
		return v.Elem().Interface()
	}
	return v.Interface()
}

// encodeUser takes the bytes of the type's own MarshalCQL; nil pointers and nil bytes are null, as
// in the driver.
func encodeUser(t *Type, rt reflect.Type) encodeFunc {
	info, times := t.Info(), hasTime(t)
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		user, ok := receiver(rt, p).(gocql.Marshaler)
		if !ok {
			return buf, true, nil
		}
		data, err := user.MarshalCQL(info)
		if err != nil {
			return buf, false, &foreignError{"MarshalCQL of " + rt.String(), err}
		}
		if times {
			if err := CheckTimes(t, data); err != nil {
				return buf, false, err
			}
		}
		return append(buf, data...), data == nil, nil
	}
}

// encodeUserUDT takes each field's bytes from the type's own MarshalUDT.
func encodeUserUDT(t *Type, rt reflect.Type) encodeFunc {
	infos := make([]gocql.TypeInfo, len(t.Fields))
	for i, f := range t.Fields {
		infos[i] = f.Type.Info()
	}
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		user, ok := receiver(rt, p).(gocql.UDTMarshaler)
		if !ok {
			return buf, true, nil
		}
		for i, f := range t.Fields {
			data, err := user.MarshalUDT(f.Name, infos[i])
			if err != nil {
				return buf, false, &foreignError{"MarshalUDT of " + rt.String(), err}
			}
			if err := CheckTimes(f.Type, data); err != nil {
				return buf, false, err
			}
			start := len(buf)
			buf = append(buf, 0, 0, 0, 0)
			buf = append(buf, data...)
			if err := putLen(buf, start, data == nil); err != nil {
				return buf, false, err
			}
		}
		return buf, false, nil
	}
}

func encodePointer(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	fn, err := compileEncodeAt(t, rt.Elem(), depth+1)
	if err != nil {
		return nil, err
	}
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		v := *(*unsafe.Pointer)(p)
		if v == nil {
			return buf, true, nil
		}
		return fn(buf, v)
	}, nil
}

func encodeNullStruct(t *Type, rt reflect.Type, value reflect.StructField, depth int) (encodeFunc, error) {
	fn, err := compileEncodeAt(t, value.Type, depth+1)
	if err != nil {
		return nil, err
	}
	valid := rt.Field(1).Offset
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		if !*(*bool)(unsafe.Add(p, valid)) {
			return buf, true, nil
		}
		return fn(buf, unsafe.Add(p, value.Offset))
	}, nil
}

// encodeAny plans for each Go type that it meets, once. Nil and gocql.UnsetValue are null.
func encodeAny(t *Type, depth int) encodeFunc {
	var plans sync.Map // reflect.Type to encodeFunc or error
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		v := *(*any)(p)
		if v == nil || v == any(gocql.UnsetValue) {
			return buf, true, nil
		}
		rv := reflect.ValueOf(v)
		plan, ok := plans.Load(rv.Type())
		if !ok {
			fn, err := compileEncodeAt(t, rv.Type(), depth+1)
			plan = fn
			if err != nil {
				plan = badValue("%v", err)
			}
			plans.Store(rv.Type(), plan)
		}
		fn, ok := plan.(encodeFunc)
		if !ok {
			return buf, false, plan.(error)
		}
		c := reflect.New(rv.Type())
		c.Elem().Set(rv)
		return fn(buf, c.UnsafePointer())
	}
}

// putLen writes the length of what was appended since start, where 4 bytes were left for it; -1 for
// null.
func putLen(buf []byte, start int, null bool) error {
	n := len(buf) - start - 4
	switch {
	case null:
		n = -1
	case n > math.MaxInt32:
		return ErrRange
	}
	binary.BigEndian.PutUint32(buf[start:], uint32(int32(n)))
	return nil
}

// appendElement appends one part of a composite value with its length.
func appendElement(buf []byte, fn encodeFunc, p unsafe.Pointer) ([]byte, error) {
	start := len(buf)
	buf, null, err := fn(append(buf, 0, 0, 0, 0), p)
	if err != nil {
		return buf, err
	}
	return buf, putLen(buf, start, null)
}
