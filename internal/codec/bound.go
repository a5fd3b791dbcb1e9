package codec

import (
	"reflect"
	"sync"
)

// EncodeValue gives the bytes of one Go value for a CQL type as an Encoder writes them: not
// nil even where they are empty, nil for null. Known is false where there is no rule for the
// Go type; the driver may have one then.
func EncodeValue(t *Type, v any) (data []byte, known bool, err error) {
	if v == nil {
		return nil, true, nil
	}
	rv := reflect.ValueOf(v)
	fn := planOfValue(t, rv.Type())
	if fn == nil {
		return nil, false, nil
	}
	c := reflect.New(rv.Type())
	c.Elem().Set(rv)
	data, null, err := fn(make([]byte, 0, 16), c.UnsafePointer())
	if err != nil || null {
		return nil, true, err
	}
	return data, true, nil
}

// plansOfValues are encodeFuncs for types that hold no others, by kind and Go type: of
// these there are few.
var plansOfValues sync.Map

type valuePlan struct {
	kind Kind
	rt   reflect.Type
}

// planOfValue is nil if there is none.
func planOfValue(t *Type, rt reflect.Type) encodeFunc {
	key := valuePlan{t.Kind, rt}
	if fn, ok := plansOfValues.Load(key); ok {
		return fn.(encodeFunc)
	}
	fn, err := compileEncode(t, rt)
	if err != nil {
		return nil
	}
	if t.Kind < List {
		plansOfValues.Store(key, fn)
	}
	return fn
}
