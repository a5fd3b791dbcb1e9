package codec

import (
	"bytes"
	"reflect"
	"sync"
	"unsafe"
)

// KeepOf makes a function that replaces what a T refers to of the page that it came in: bytes
// by a copy, and what lent, a type of its own, may hold by what clone makes of it; in fields,
// arrays, slices, maps and interfaces, eight deep. What is replaced is never changed, since
// others may have it too: slices and maps are made anew, and so is what a pointer leads to if
// lent is in it. Other pointers stay, and those to anything with a lock. Nil says that a T
// needs none of that.
func KeepOf[T any](lent reflect.Type, clone func(p unsafe.Pointer)) func(*T) {
	c := &keepPlans{lent: lent, clone: clone}
	plan := c.plan(reflect.TypeFor[T](), sizeDepth)
	if plan == nil {
		return nil
	}
	return func(v *T) { plan(unsafe.Pointer(v)) }
}

// keepFunc replaces what the value at p refers to; nil stands for one that has nothing to do.
type keepFunc func(p unsafe.Pointer)

type keepPlans struct {
	lent  reflect.Type
	clone func(p unsafe.Pointer)
	made  map[sizeKey]keepFunc
}

func (c *keepPlans) plan(rt reflect.Type, depth int) keepFunc {
	if pointerFree(rt) || depth == 0 {
		return nil
	}
	key := sizeKey{rt, depth}
	if fn, ok := c.made[key]; ok {
		return fn
	}
	fn := c.make(rt, depth)
	if c.made == nil {
		c.made = map[sizeKey]keepFunc{}
	}
	c.made[key] = fn
	return fn
}

func (c *keepPlans) make(rt reflect.Type, depth int) keepFunc {
	switch {
	case rt == c.lent:
		return c.clone
	case byteSlice(rt):
		return func(p unsafe.Pointer) {
			*(*[]byte)(p) = bytes.Clone(*(*[]byte)(p))
		}
	}
	switch rt.Kind() {
	case reflect.Struct:
		return c.fields(rt, depth)
	case reflect.Array:
		return c.elements(rt, depth)
	case reflect.Slice:
		return c.slice(rt, depth)
	case reflect.Map:
		return c.entries(rt, depth)
	case reflect.Pointer:
		return c.pointee(rt, depth)
	case reflect.Interface:
		return c.held(rt, depth)
	}
	return nil
}

func (c *keepPlans) fields(rt reflect.Type, depth int) keepFunc {
	type field struct {
		offset uintptr
		fn     keepFunc
	}
	var fields []field
	for i := range rt.NumField() {
		if fn := c.plan(rt.Field(i).Type, depth); fn != nil {
			fields = append(fields, field{rt.Field(i).Offset, fn})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(p unsafe.Pointer) {
		for _, f := range fields {
			f.fn(unsafe.Add(p, f.offset))
		}
	}
}

func (c *keepPlans) elements(rt reflect.Type, depth int) keepFunc {
	elem, size := c.plan(rt.Elem(), depth), rt.Elem().Size()
	if elem == nil {
		return nil
	}
	return func(p unsafe.Pointer) {
		for i := range rt.Len() {
			elem(unsafe.Add(p, uintptr(i)*size))
		}
	}
}

func (c *keepPlans) slice(rt reflect.Type, depth int) keepFunc {
	elem, size := c.plan(rt.Elem(), depth-1), rt.Elem().Size()
	if elem == nil {
		return nil
	}
	return func(p unsafe.Pointer) {
		v := reflect.NewAt(rt, p).Elem()
		if v.IsNil() {
			return
		}
		n := v.Len()
		kept := reflect.MakeSlice(rt, n, n)
		reflect.Copy(kept, v)
		for i := range n {
			elem(unsafe.Add(kept.UnsafePointer(), uintptr(i)*size))
		}
		v.Set(kept)
	}
}

func (c *keepPlans) entries(rt reflect.Type, depth int) keepFunc {
	elem := c.plan(rt.Elem(), depth-1)
	if elem == nil {
		return nil
	}
	return func(p unsafe.Pointer) {
		v := reflect.NewAt(rt, p).Elem()
		if v.IsNil() {
			return
		}
		kept, value := reflect.MakeMapWithSize(rt, v.Len()), reflect.New(rt.Elem())
		for it := v.MapRange(); it.Next(); {
			value.Elem().SetIterValue(it)
			elem(value.UnsafePointer())
			kept.SetMapIndex(it.Key(), value.Elem())
		}
		v.Set(kept)
	}
}

func (c *keepPlans) pointee(rt reflect.Type, depth int) keepFunc {
	if locks(rt.Elem(), sizeDepth) || !c.lends(rt.Elem(), depth) {
		return nil
	}
	elem := c.plan(rt.Elem(), depth-1)
	if elem == nil {
		return nil
	}
	return func(p unsafe.Pointer) {
		v := reflect.NewAt(rt, p).Elem()
		if v.IsNil() {
			return
		}
		kept := reflect.New(rt.Elem())
		kept.Elem().Set(v.Elem())
		elem(kept.UnsafePointer())
		v.Set(kept.Convert(rt))
	}
}

// held keeps what an interface holds. Which types that may be is known only when they are met.
func (c *keepPlans) held(rt reflect.Type, depth int) keepFunc {
	met := &sync.Map{} // reflect.Type -> keepFunc
	return func(p unsafe.Pointer) {
		v := reflect.NewAt(rt, p).Elem()
		if v.IsNil() {
			return
		}
		value := v.Elem()
		plan, ok := met.Load(value.Type())
		if !ok {
			fresh := keepPlans{lent: c.lent, clone: c.clone}
			plan, _ = met.LoadOrStore(value.Type(), fresh.plan(value.Type(), depth-1))
		}
		if plan.(keepFunc) == nil {
			return
		}
		kept := reflect.New(value.Type())
		kept.Elem().Set(value)
		plan.(keepFunc)(kept.UnsafePointer())
		v.Set(kept.Elem())
	}
}

// lends reports whether values of a type may hold a value of lent.
func (c *keepPlans) lends(rt reflect.Type, depth int) bool {
	if rt == c.lent {
		return true
	}
	if depth == 0 {
		return false
	}
	switch rt.Kind() {
	case reflect.Struct:
		for i := range rt.NumField() {
			if c.lends(rt.Field(i).Type, depth-1) {
				return true
			}
		}
	case reflect.Array, reflect.Slice, reflect.Map, reflect.Pointer:
		return c.lends(rt.Elem(), depth-1)
	}
	return false
}

// locks reports whether values of a type must not be copied.
func locks(rt reflect.Type, depth int) bool {
	if depth == 0 {
		return false
	}
	if reflect.PointerTo(rt).Implements(reflect.TypeFor[sync.Locker]()) {
		return true
	}
	switch rt.Kind() {
	case reflect.Struct:
		for i := range rt.NumField() {
			if locks(rt.Field(i).Type, depth-1) {
				return true
			}
		}
	case reflect.Array:
		return locks(rt.Elem(), depth-1)
	}
	return false
}
