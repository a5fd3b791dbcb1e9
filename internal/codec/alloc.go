package codec

import (
	"reflect"
	"unsafe"
)

// sliceHeader is a slice as it lies in memory, its array a pointer that the garbage collector sees.
type sliceHeader struct {
	array    unsafe.Pointer
	len, cap int
}

// pointerFree reports whether values of a type hold no pointers, so that the garbage collector need
// not know their layout.
func pointerFree(rt reflect.Type) bool {
	switch rt.Kind() {
	case reflect.Array:
		return rt.Len() == 0 || pointerFree(rt.Elem())
	case reflect.Struct:
		for i := range rt.NumField() {
			if !pointerFree(rt.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64,
		reflect.Complex64, reflect.Complex128:
		return true
	}
	return false
}

// noElements is where empty slices point, since only a nil pointer makes a slice nil.
var noElements uint64

// allocSlice makes a maker of zeroed arrays for n values of a type: by shape for the common ones,
// by reflection for types that mix pointers with other things.
func allocSlice(elem reflect.Type) func(n int) unsafe.Pointer {
	make1 := func(n int) unsafe.Pointer { return reflect.MakeSlice(reflect.SliceOf(elem), n, n).UnsafePointer() }
	switch {
	case pointerFree(elem):
		size := elem.Size()
		make1 = func(n int) unsafe.Pointer {
			words := make([]uint64, (uintptr(n)*size+7)/8)
			return unsafe.Pointer(unsafe.SliceData(words))
		}
	case elem.Kind() == reflect.String:
		make1 = func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([]string, n))) }
	case elem.Kind() == reflect.Slice:
		make1 = func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([][]byte, n))) }
	case elem.Kind() == reflect.Pointer:
		make1 = func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([]unsafe.Pointer, n))) }
	case elem.Kind() == reflect.Interface && elem.NumMethod() == 0:
		make1 = func(n int) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(make([]any, n))) }
	}
	return func(n int) unsafe.Pointer {
		if n == 0 || elem.Size() == 0 {
			return unsafe.Pointer(&noElements)
		}
		return make1(n)
	}
}

// allocOne makes a maker of single zeroed values of a type.
func allocOne(rt reflect.Type) func() unsafe.Pointer {
	if rt.Size() == 0 || !pointerFree(rt) {
		return func() unsafe.Pointer { return reflect.New(rt).UnsafePointer() }
	}
	switch size := rt.Size(); {
	case size <= 8:
		return func() unsafe.Pointer { return unsafe.Pointer(new(uint64)) }
	case size <= 16:
		return func() unsafe.Pointer { return unsafe.Pointer(new([2]uint64)) }
	}
	return func() unsafe.Pointer { return reflect.New(rt).UnsafePointer() }
}
