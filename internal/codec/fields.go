package codec

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// Columns returns the columns that T wants. A struct with cql tags wants one for each tag, in field
// order, with embedded structs flattened. Any other T is one column whose name it does not know:
// isStruct is false and names is nil. These are errors, reported together: a struct that has no tag
// and is not a scalar, duplicate names, and tags on fields that cannot be written.
func Columns[T any]() (names []string, isStruct bool, err error) {
	return columnsOf(reflect.TypeFor[T]())
}

func columnsOf(rt reflect.Type) (names []string, isStruct bool, err error) {
	fields, isStruct, err := fieldsOf(rt)
	if err != nil {
		return nil, isStruct, err
	}
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names, isStruct, nil
}

// field is one tagged field of a struct, wherever it is embedded.
type field struct {
	name   string // of the column
	path   string // of the Go field
	offset uintptr
	typ    reflect.Type
}

// fieldsOf lists the tagged fields of a row type. isStruct is false for a type that is one column.
func fieldsOf(rt reflect.Type) (fields []field, isStruct bool, err error) {
	if rt.Kind() != reflect.Struct {
		return nil, false, nil
	}
	w := &fieldWalk{root: rt, seen: map[string]string{}}
	w.walk(rt, 0, "")
	switch {
	case len(w.errs) > 0:
		return nil, true, errors.Join(w.errs...)
	case len(w.fields) > 0:
		return w.fields, true, nil
	case scalarStruct(rt):
		return nil, false, nil
	}
	return nil, true, &MismatchError{GoType: rt.String(), Reason: "the struct has no field with a cql tag",
		Remedy: "name the columns with tags, e.g. ID int64 `cql:\"id\"`, or give it UnmarshalCQL and MarshalCQL"}
}

type fieldWalk struct {
	root   reflect.Type
	fields []field
	seen   map[string]string
	errs   []error
}

// brokenTag finds a cql key that reflect cannot read, such as cql:name without quotes.
var brokenTag = regexp.MustCompile(`(^|\s)cql\s*[:=]`)

// optioned finds a tag with options as tags of encoding/json have them. Names of columns
// may have a comma in them, but hardly one and a word right behind it.
var optioned = regexp.MustCompile(`^[^,]*(?:,[A-Za-z]*)+$`)

func (w *fieldWalk) walk(rt reflect.Type, base uintptr, prefix string) {
	for i := range rt.NumField() {
		f := rt.Field(i)
		path := prefix + f.Name
		tag, tagged := f.Tag.Lookup("cql")
		switch {
		case tag == "-":
		case tagged && tag == "":
			w.refuse(path, f.Type, "its cql tag is empty", "name the column, or \"-\" for none")
		case tagged && optioned.MatchString(tag):
			w.refuse(path, f.Type, fmt.Sprintf("its cql tag %q has an option, and there are none", tag),
				"let the tag be the column's name alone; a null is left unset in any case, and a column that has such a name is read as rxcql.Row")
		case tagged && !f.IsExported():
			w.refuse(path, f.Type, "it has a cql tag but is not exported", "export it or take the tag away")
		case tagged && w.seen[tag] != "":
			w.refuse(path, f.Type, fmt.Sprintf("column %q is already that of field %s", tag, w.seen[tag]),
				"give each column one field")
		case tagged:
			w.seen[tag] = path
			w.fields = append(w.fields, field{name: tag, path: path, offset: base + f.Offset, typ: f.Type})
		case brokenTag.MatchString(string(f.Tag)):
			w.refuse(path, f.Type, "its cql tag cannot be read", "write it as `cql:\"name\"`")
		case f.Anonymous && f.Type.Kind() == reflect.Struct && !scalarStruct(f.Type):
			w.walk(f.Type, base+f.Offset, path+".")
		case f.Anonymous && pointsToTagged(f.Type):
			w.refuse(path, f.Type, "an embedded pointer cannot hold columns", "embed the struct itself")
		}
	}
}

func (w *fieldWalk) refuse(path string, rt reflect.Type, reason, remedy string) {
	w.errs = append(w.errs, &MismatchError{Field: w.root.String() + "." + path, GoType: rt.String(), Reason: reason, Remedy: remedy})
}

func pointsToTagged(rt reflect.Type) bool {
	if rt.Kind() != reflect.Pointer || rt.Elem().Kind() != reflect.Struct || scalarStruct(rt.Elem()) {
		return false
	}
	for i := range rt.Elem().NumField() {
		if tag := rt.Elem().Field(i).Tag.Get("cql"); tag != "" && tag != "-" {
			return true
		}
	}
	return false
}

// alike finds the one of names that name was probably meant to be, for the remedy in an error.
func alike(name string, names []string) string {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	for _, n := range names {
		if plain(n) == plain(name) {
			return n
		}
	}
	return ""
}
