package codec

import (
	"fmt"
	"reflect"
)

// ChooseColumns determines which columns rows of type T have: those of its cql tags, or the one
// that is given for a single value.
func ChooseColumns[T any](given []string) ([]string, error) {
	names, isStruct, err := Columns[T]()
	switch {
	case err != nil:
		return nil, err
	case isStruct && len(given) > 0:
		return nil, fmt.Errorf("Columns: %v names its columns itself, by its cql tags", reflect.TypeFor[T]())
	case isStruct:
		return names, nil
	case len(given) != 1:
		return nil, oneColumn[T]()
	}
	return given, nil
}

// oneColumn is the error for rows of a type T that is not a struct with cql tags, if no column is
// given for it.
func oneColumn[T any]() error {
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
