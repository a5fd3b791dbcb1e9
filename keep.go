package rxcql

import (
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
)

var typeRow = reflect.TypeFor[Row]()

// sizes has the types whose size is not found by walking them: columns, which rows share and which
// do not count, and Row.
var sizes = []codec.Known{
	{Type: typeRow, Size: func(p unsafe.Pointer) int { return (*Row)(p).Size() }},
	{Type: reflect.TypeFor[*Columns]()},
	{Type: reflect.TypeFor[*ColumnType]()},
	{Type: reflect.TypeFor[Column]()},
}

// SizeFunc returns a function that estimates the memory a T takes, text and slices included. Stages
// that hold rows charge this to their account. Memory reached twice counts twice; the columns of a
// Row, which rows share, do not count.
func SizeFunc[T any]() func(*T) int {
	if reflect.TypeFor[T]() == typeRow {
		return func(row *T) int { return int(unsafe.Sizeof(*row)) + any(row).(*Row).Size() }
	}
	return codec.SizeOf[T](sizes...)
}

// CloneFunc returns a function that makes a value fit to be kept longer than its page: a copy that
// refers to no memory of the page, and so does not keep the page alive.
//
//   - A Row is cloned and bytes ([]byte) are copied, wherever they are in T: in fields, elements,
//     values of maps, and interfaces.
//   - What a pointer leads to is copied if it contains a Row and no lock (sync.Locker). Other
//     pointers stay as they are.
//   - Anything else is left as it is.
func CloneFunc[T any]() func(T) T {
	if reflect.TypeFor[T]() == typeRow {
		return func(row T) T { return any(any(row).(Row).Clone()).(T) }
	}
	keep := codec.KeepOf[T](typeRow, func(p unsafe.Pointer) { *(*Row)(p) = (*Row)(p).Clone() })
	if keep == nil {
		return func(row T) T { return row }
	}
	return func(row T) T {
		keep(&row)
		return row
	}
}

// CloneAllFunc returns a function that makes all values of a slice fit to be kept longer than their
// page, in place, as CloneFunc does with one. Where values are fit as they are it does nothing.
func CloneAllFunc[T any]() func([]T) {
	if reflect.TypeFor[T]() == typeRow {
		return func(rows []T) {
			for i := range rows {
				rows[i] = any(any(rows[i]).(Row).Clone()).(T)
			}
		}
	}
	keep := codec.KeepOf[T](typeRow, func(p unsafe.Pointer) { *(*Row)(p) = (*Row)(p).Clone() })
	if keep == nil {
		return func([]T) {}
	}
	return func(rows []T) {
		for i := range rows {
			keep(&rows[i])
		}
	}
}
