package jsonline

import (
	"encoding"
	stdjson "encoding/json"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json"
)

// The methods by which a type says itself how it is written and read.
var (
	writers = []reflect.Type{reflect.TypeFor[stdjson.Marshaler](), reflect.TypeFor[json.MarshalerTo](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextAppender]()}
	parsers = []reflect.Type{reflect.TypeFor[stdjson.Unmarshaler](), reflect.TypeFor[json.UnmarshalerFrom](),
		reflect.TypeFor[encoding.TextUnmarshaler]()}
)

// hasAny reports whether a type, or its pointer, has one of the methods.
func hasAny(rt reflect.Type, methods []reflect.Type) bool {
	return slices.ContainsFunc(methods, func(m reflect.Type) bool {
		return rt.Implements(m) || rt.Kind() != reflect.Interface && reflect.PointerTo(rt).Implements(m)
	})
}

func hasMethods(rt reflect.Type) bool { return hasAny(rt, writers) || hasAny(rt, parsers) }

func writesAndReads(rt reflect.Type) bool { return hasAny(rt, writers) && hasAny(rt, parsers) }

// embedsMethods reports whether a struct may have its methods from a type that it
// embeds, which knows nothing of the other fields.
func embedsMethods(rt reflect.Type) bool {
	if rt.Kind() != reflect.Struct {
		return false
	}
	for i := range rt.NumField() {
		if f := rt.Field(i); f.Anonymous && hasMethods(f.Type) {
			return true
		}
	}
	return false
}
