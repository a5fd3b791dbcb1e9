package codec

import (
	"reflect"
	"unsafe"
)

// sizeDepth is how many pointers, slices, maps and interfaces SizeOf follows one behind the other, so that types and
// values that contain themselves come to an end.
const sizeDepth = 8

// SizeOf makes a function that estimates the bytes a T keeps: itself, its text, and what its slices, maps, pointers and
// interfaces lead to, eight deep. Slices count with their capacity; what is reached twice counts twice; channels,
// functions and the insides of unknown interfaces' pointers count as the pointers only.
func SizeOf[T any]() func(*T) int {
	base := int(reflect.TypeFor[T]().Size())
	extra := (&sizePlans{}).extra(reflect.TypeFor[T](), sizeDepth)
	if extra == nil {
		return func(*T) int { return base }
	}
	return func(v *T) int { return base + extra(unsafe.Pointer(v)) }
}

// sizeFunc gives the bytes that hang from the value at p; nil stands for one that is always 0.
type sizeFunc func(p unsafe.Pointer) int

type sizeKey struct {
	typ   reflect.Type
	depth int
}

// sizePlans keeps the plans already made, without which types with many fields of one type would take exponential time.
type sizePlans struct{ made map[sizeKey]sizeFunc }

func (c *sizePlans) extra(rt reflect.Type, depth int) sizeFunc {
	if pointerFree(rt) || depth == 0 {
		return nil
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
		return interfaceSize(rt)
	}
	return nil
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
	entry := int(rt.Key().Size()+rt.Elem().Size()) + mapEntryCost
	key, value := c.extra(rt.Key(), depth-1), c.extra(rt.Elem(), depth-1)
	return func(p unsafe.Pointer) int {
		m := reflect.NewAt(rt, p).Elem()
		if m.IsNil() {
			return 0
		}
		n := mapCost + m.Len()*entry
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

// interfaceSize counts what an interface holds: its value, its text, or the elements of its slice or map, but not
// what those lead to in turn, since their types are known only when they are met.
func interfaceSize(rt reflect.Type) sizeFunc {
	return func(p unsafe.Pointer) int {
		v := reflect.NewAt(rt, p).Elem().Elem()
		if !v.IsValid() {
			return 0
		}
		n := int(v.Type().Size())
		switch v.Kind() {
		case reflect.String:
			n += v.Len()
		case reflect.Slice:
			n += v.Cap() * int(v.Type().Elem().Size())
		case reflect.Map:
			n += mapCost + v.Len()*(int(v.Type().Key().Size()+v.Type().Elem().Size())+mapEntryCost)
		case reflect.Pointer:
			if !v.IsNil() {
				n += int(v.Type().Elem().Size())
			}
		}
		return n
	}
}
