package jsonline

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
)

// CheckType finds what is in values of a type and would not be in their JSON, before
// one is written: fields of one name, tagged fields that are hidden by others, a
// struct with no field that is exported, methods that a struct has from a type that
// it embeds; and what has no JSON at all. Fields with the tag json:"-" are left out
// on purpose. What is in an interface is seen when it is written.
func CheckType(rt reflect.Type) error {
	c := checking{seen: map[reflect.Type]bool{}}
	c.walk(rt, rt.String())
	return errors.Join(c.errs...)
}

type checking struct {
	seen map[reflect.Type]bool
	errs []error
}

func (c *checking) fail(path, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
}

func (c *checking) walk(rt reflect.Type, path string) {
	if c.seen[rt] {
		return
	}
	c.seen[rt] = true
	if hasAny(rt, writers) {
		c.promoted(rt, path)
		return
	}
	switch rt.Kind() {
	case reflect.Pointer:
		c.walk(rt.Elem(), path)
	case reflect.Slice, reflect.Array:
		c.walk(rt.Elem(), path+"[]")
	case reflect.Map:
		c.walk(rt.Elem(), path+"[]")
	case reflect.Struct:
		c.structure(rt, path)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		c.fail(path, "a %s has no JSON; take it out, or tag it json:\"-\"", rt)
	}
}

// promoted finds a struct whose JSON is that of a field that it embeds, so that
// all others would be lost. A method of its own gives another text.
func (c *checking) promoted(rt reflect.Type, path string) {
	if !embedsMethods(rt) || rt.NumField() == 1 {
		return
	}
	whole := reflect.New(rt).Elem()
	for i := range rt.NumField() {
		f := rt.Field(i)
		if !f.Anonymous || !hasAny(f.Type, writers) {
			continue
		}
		inner := reachable(whole.Field(i))
		if f.Type.Kind() == reflect.Pointer {
			inner.Set(reflect.New(f.Type.Elem()))
		}
		all, err := tried(whole)
		part, err2 := tried(inner)
		if err == nil && err2 == nil && string(all) == string(part) {
			c.fail(path, "its JSON is that of the %s in it alone, whose methods it has; give it its own MarshalJSON, or name the field", f.Type)
			return
		}
	}
}

// tried writes a value by methods that were never meant for it, perhaps.
func tried(v reflect.Value) (text []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return json.Marshal(v.Addr().Interface(), writing)
}

func (c *checking) structure(rt reflect.Type, path string) {
	var fault *json.SemanticError
	_, err := tried(reflect.New(rt).Elem())
	if errors.As(err, &fault) && fault.ByteOffset == 0 { // of the type, not of one of its fields
		c.fail(path, "%v; export it, or give each field a json tag of its own", fault.Err)
		return
	}
	c.hidden(rt, path)
	for i := range rt.NumField() {
		f := rt.Field(i)
		if f.Tag.Get("json") != "-" && (f.IsExported() || f.Anonymous) {
			c.walk(f.Type, path+"."+f.Name)
		}
	}
}

// member is a field that may become a member of the struct's object.
type member struct {
	path   string
	depth  int
	tagged bool // by json
	column bool // by cql
}

// hidden finds fields that give way to others of their JSON name.
func (c *checking) hidden(rt reflect.Type, path string) {
	byName := map[string][]member{}
	members(rt, "", 0, byName)
	for name, all := range byName {
		first, at := all[0], 0
		for _, m := range all { // as encoding/json chooses
			if m.depth < first.depth || m.depth == first.depth && m.tagged && !first.tagged {
				first = m
			}
		}
		for _, m := range all {
			if m.depth == first.depth && m.tagged == first.tagged {
				at++
			}
		}
		for _, m := range all {
			if at > 1 || m != first && m.column {
				c.fail(path+"."+m.path, "JSON leaves it out, since another field is named %q too; give it a json tag of its own", name)
			}
		}
	}
}

func members(rt reflect.Type, prefix string, depth int, byName map[string][]member) {
	if depth > 16 {
		return
	}
	for i := range rt.NumField() {
		f := rt.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct && !hasMethods(inner):
			members(inner, prefix+f.Name+".", depth+1, byName)
		case f.IsExported():
			m := member{path: prefix + f.Name, depth: depth, tagged: name != "", column: f.Tag.Get("cql") != ""}
			if name == "" {
				name = f.Name
			}
			byName[name] = append(byName[name], m)
		}
	}
}
