package codec

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// sizeDepth is how many pointers, slices, maps and interfaces SizeOf follows one behind the other,
// so that types and values that contain themselves come to an end.
const sizeDepth = 8

// Known is a type whose values SizeOf does not look into. Size returns the bytes that a value at p
// keeps in addition to itself. A nil Size stands for none, as for a pointer to what many values
// share.
type Known struct {
	Type reflect.Type
	Size func(p unsafe.Pointer) int
}

// SizeOf makes a function that estimates the bytes a T keeps: itself, its text, and what its
// slices, maps, pointers and interfaces lead to, eight deep. Slices count with their capacity;
// what is reached twice counts twice; channels and functions count as the pointers only.
func SizeOf[T any](known ...Known) func(*T) int {
	base := int(reflect.TypeFor[T]().Size())
	plans := &sizePlans{known: known}
	switch texts, only := plans.texts(nil, reflect.TypeFor[T](), 0); {
	case only && len(texts) == 1:
		offset := texts[0]
		return func(v *T) int { return base + len(*(*string)(unsafe.Add(unsafe.Pointer(v), offset))) }
	case only && len(texts) > 1:
		return func(v *T) int {
			n := base
			for _, offset := range texts {
				n += len(*(*string)(unsafe.Add(unsafe.Pointer(v), offset)))
			}
			return n
		}
	}
	extra := plans.extra(reflect.TypeFor[T](), sizeDepth)
	if extra == nil {
		return func(*T) int { return base }
	}
	return func(v *T) int { return base + extra(unsafe.Pointer(v)) }
}

// OnlyText returns where in a T its only text is. It reports whether there is one, and nothing else
// in a T leads anywhere: then SizeOf gives the size of a T and the length of that text, and nobody
// need call a function for it.
func OnlyText[T any]() (offset uintptr, is bool) {
	texts, only := new(sizePlans).texts(nil, reflect.TypeFor[T](), 0)
	if !only || len(texts) != 1 {
		return 0, false
	}
	return texts[0], true
}

// sizeFunc gives the bytes that hang from the value at p; nil stands for one that is always 0.
type sizeFunc func(p unsafe.Pointer) int

type sizeKey struct {
	typ   reflect.Type
	depth int
}

// sizePlans keeps the plans already made, without which types with many fields of one type would
// take exponential time.
type sizePlans struct {
	known []Known
	made  map[sizeKey]sizeFunc
}

func (c *sizePlans) extra(rt reflect.Type, depth int) sizeFunc {
	if pointerFree(rt) || depth == 0 {
		return nil
	}
	for _, k := range c.known {
		if k.Type == rt {
			return k.Size
		}
	}
	key := sizeKey{rt, depth}
	if fn, ok := c.made[key]; ok {
		return fn
	}
	fn := c.plan(rt, depth)
	if c.made == nil {
		c.made = map[sizeKey]sizeFunc{}
	}
	c.made[key] = fn
	return fn
}

func (c *sizePlans) plan(rt reflect.Type, depth int) sizeFunc {
	switch rt.Kind() {
	case reflect.String:
		return func(p unsafe.Pointer) int { return len(*(*string)(p)) }
	case reflect.Struct:
		if rt == typeTime || rt == typeAddr {
			return nil // their pointers lead to what all values share
		}
		return c.fields(rt, depth)
	case reflect.Pointer:
		size, elem := int(rt.Elem().Size()), c.extra(rt.Elem(), depth-1)
		return func(p unsafe.Pointer) int {
			v := *(*unsafe.Pointer)(p)
			if v == nil {
				return 0
			}
			return size + callSize(elem, v)
		}
	case reflect.Slice:
		return c.slice(rt, depth)
	case reflect.Array:
		return elements(c.extra(rt.Elem(), depth), rt.Len(), rt.Elem().Size())
	case reflect.Map:
		return c.maps(rt, depth)
	case reflect.Interface:
		return c.interfaces(rt, depth)
	}
	return nil
}

// texts adds the offsets of the strings in a value at offset base to found. It reports whether
// nothing else in it leads anywhere: most rows are so, and for them no function a field is called.
func (c *sizePlans) texts(found []uintptr, rt reflect.Type, base uintptr) (offsets []uintptr, only bool) {
	switch {
	case slices.ContainsFunc(c.known, func(k Known) bool { return k.Type == rt }):
		return found, false
	case rt.Kind() == reflect.String:
		return append(found, base), true
	case rt.Kind() == reflect.Struct && rt != typeTime && rt != typeAddr && !pointerFree(rt):
		for i := range rt.NumField() {
			f := rt.Field(i)
			if found, only = c.texts(found, f.Type, base+f.Offset); !only {
				return found, false
			}
		}
		return found, true
	}
	return found, c.extra(rt, sizeDepth) == nil
}

func callSize(fn sizeFunc, p unsafe.Pointer) int {
	if fn == nil {
		return 0
	}
	return fn(p)
}

func (c *sizePlans) fields(rt reflect.Type, depth int) sizeFunc {
	type fieldSize struct {
		offset uintptr
		fn     sizeFunc
	}
	var fields []fieldSize
	for i := range rt.NumField() {
		if fn := c.extra(rt.Field(i).Type, depth); fn != nil {
			fields = append(fields, fieldSize{rt.Field(i).Offset, fn})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(p unsafe.Pointer) (n int) {
		for i := range fields {
			n += fields[i].fn(unsafe.Add(p, fields[i].offset))
		}
		return n
	}
}

func (c *sizePlans) slice(rt reflect.Type, depth int) sizeFunc {
	size, elem := rt.Elem().Size(), c.extra(rt.Elem(), depth-1)
	return func(p unsafe.Pointer) int {
		h := (*sliceHeader)(p)
		n := h.cap * int(size)
		for i := 0; elem != nil && i < h.len; i++ {
			n += elem(unsafe.Add(h.array, uintptr(i)*size))
		}
		return n
	}
}

func elements(elem sizeFunc, length int, size uintptr) sizeFunc {
	if elem == nil {
		return nil
	}
	return func(p unsafe.Pointer) (n int) {
		for i := range length {
			n += elem(unsafe.Add(p, uintptr(i)*size))
		}
		return n
	}
}

func (c *sizePlans) maps(rt reflect.Type, depth int) sizeFunc {
	keySize, valueSize := rt.Key().Size(), rt.Elem().Size()
	key, value := c.extra(rt.Key(), depth-1), c.extra(rt.Elem(), depth-1)
	return func(p unsafe.Pointer) int {
		m := reflect.NewAt(rt, p).Elem()
		if m.IsNil() {
			return 0
		}
		n := mapSize(m.Len(), keySize, valueSize)
		if key == nil && value == nil {
			return n
		}
		k, v := reflect.New(rt.Key()), reflect.New(rt.Elem())
		for it := m.MapRange(); it.Next(); {
			k.Elem().SetIterKey(it)
			v.Elem().SetIterValue(it)
			n += callSize(key, k.UnsafePointer()) + callSize(value, v.UnsafePointer())
		}
		return n
	}
}

// interfaces counts what an interface holds. Which types that may be is known only when they
// are met: each gets its plan then, once.
func (c *sizePlans) interfaces(rt reflect.Type, depth int) sizeFunc {
	met := &sync.Map{} // reflect.Type -> sizeFunc
	return func(p unsafe.Pointer) int {
		v := reflect.NewAt(rt, p).Elem().Elem()
		if !v.IsValid() {
			return 0
		}
		held := v.Type()
		plan, ok := met.Load(held)
		if !ok {
			fresh := sizePlans{known: c.known}
			plan, _ = met.LoadOrStore(held, fresh.extra(held, depth-1))
		}
		n, extra := int(held.Size()), plan.(sizeFunc)
		if extra == nil {
			return n
		}
		data := &(*[2]unsafe.Pointer)(p)[1] // the second word of an interface
		switch v.Kind() {
		case reflect.Pointer, reflect.Map: // is the value
			return n + extra(unsafe.Pointer(data))
		case reflect.String, reflect.Slice: // points to it
			return n + extra(*data)
		}
		at := reflect.New(held) // a struct may be either
		at.Elem().Set(v)
		return n + extra(at.UnsafePointer())
	}
}
