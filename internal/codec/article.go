package codec

import (
	"fmt"
	"reflect"
	"strings"
)

// A is a type's name with its article, for errors: an int, a uuid, a []byte. What is
// said is a *Type, a reflect.Type, or any name.
func A(name fmt.Stringer) string {
	text := strings.ReplaceAll(name.String(), "interface {}", "any")
	if strings.ContainsRune("aeioAEIO", rune(text[0])) { // uuid and uint begin like you
		return "an " + text
	}
	return "a " + text
}

// OneColumn is the error for rows of type T, which is no struct with cql tags, where
// nothing says which column that is.
func OneColumn[T any]() error {
	rt, several := reflect.TypeFor[T](), "a struct with cql tags"
	if rt.Kind() == reflect.Pointer && tagged(rt.Elem()) {
		several = rt.Elem().String() + " itself, without the pointer"
	}
	return fmt.Errorf("%s holds one column: name it with Columns(\"…\"); for rows of several columns "+
		"use %s, or rxcql.Row", A(rt), several)
}

func tagged(rt reflect.Type) bool {
	if rt.Kind() != reflect.Struct {
		return false
	}
	for i := range rt.NumField() {
		if _, ok := rt.Field(i).Tag.Lookup("cql"); ok {
			return true
		}
	}
	return false
}
