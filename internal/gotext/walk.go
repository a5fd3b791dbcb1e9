package gotext

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
)

// walk gathers the fields of a struct, those of embedded structs as its own.
type walk struct {
	plans   *Plans
	members []member
	byName  map[string]int
	named   bool // at least one has a name in a tag
	hidden  bool // at least one is not exported
	errs    []error
}

func (w *walk) fields(rt reflect.Type, base uintptr) {
	for i := range rt.NumField() {
		f := rt.Field(i)
		cql, hasCQL := f.Tag.Lookup("cql")
		tag, hasJSON := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-" || cql == "-" && !hasJSON:
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Struct && name == "" && !hasCQL && embeddable(f.Type):
			w.fields(f.Type, base+f.Offset)
			continue
		case !f.IsExported():
			w.hidden = true
			continue
		}
		w.named = w.named || hasJSON || hasCQL
		if cql == "-" {
			cql = ""
		}
		w.add(f, base+f.Offset, []string{name, cql}, options)
	}
}

// add adds a field under the first of its names that is not empty, else under
// Go's; it is read by the others too, where no other field has them.
func (w *walk) add(f reflect.StructField, offset uintptr, names []string, options string) {
	m := member{offset: offset, typ: f.Type}
	m.name = cmp.Or(append(names, f.Name)...)
	if i, taken := w.byName[m.name]; taken && w.members[i].name == m.name {
		w.errs = append(w.errs, fmt.Errorf("two fields are %q in JSON: give one another name by a `json` tag", m.name))
		return
	}
	var err error
	if m.cell, err = w.plans.Of(f.Type); err != nil {
		w.errs = append(w.errs, fmt.Errorf("field %s (%s): %w", f.Name, f.Type, err))
		return
	}
	key, err := codec.AppendJSONText(nil, m.name)
	if err != nil {
		w.errs = append(w.errs, fmt.Errorf("field %s: its name: %w", f.Name, err))
	}
	m.key = append(key, ':')
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			m.omit = emptyOf(f.Type)
		case "omitzero":
			m.omit = zeroOf(f.Type)
		case "string":
			m.quotes = quotable(f.Type)
		}
	}
	w.byName[m.name] = len(w.members)
	for _, name := range names {
		if _, taken := w.byName[name]; !taken && name != "" {
			w.byName[name] = len(w.members)
		}
	}
	w.members = append(w.members, m)
}

// embeddable reports whether an embedded struct's fields count as those of the
// struct around it.
func embeddable(rt reflect.Type) bool {
	pt := reflect.PointerTo(rt)
	_, _, null := codec.NullStruct(rt)
	return !null && !pt.Implements(typeJSONMarshaler) && !pt.Implements(typeTextMarshaler) && !codecStruct(rt)
}

// embedsPointer reports whether a struct embeds what only encoding/json knows how
// to make.
func embedsPointer(rt reflect.Type) bool {
	for i := range rt.NumField() {
		f := rt.Field(i)
		if !f.Anonymous {
			continue
		}
		if k := f.Type.Kind(); k == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct || k == reflect.Interface ||
			k == reflect.Struct && embedsPointer(f.Type) {
			return true
		}
	}
	return false
}

// emptyOf and zeroOf are what omitempty and omitzero mean to encoding/json.
func emptyOf(rt reflect.Type) func(p unsafe.Pointer) bool {
	switch rt.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return func(p unsafe.Pointer) bool { return reflect.NewAt(rt, p).Elem().Len() == 0 }
	case reflect.Struct:
		return nil
	}
	return func(p unsafe.Pointer) bool { return reflect.NewAt(rt, p).Elem().IsZero() }
}

func zeroOf(rt reflect.Type) func(p unsafe.Pointer) bool {
	return func(p unsafe.Pointer) bool {
		v := reflect.NewAt(rt, p)
		if z, ok := v.Interface().(interface{ IsZero() bool }); ok && rt.Kind() != reflect.Pointer {
			return z.IsZero()
		}
		return v.Elem().IsZero()
	}
}

func quotable(rt reflect.Type) bool {
	if rt.Kind() == reflect.Pointer {
		rt = rt.Elem()
	}
	switch k := rt.Kind(); {
	case k == reflect.String, k == reflect.Bool, k >= reflect.Int && k <= reflect.Float64:
		return true
	}
	return false
}
