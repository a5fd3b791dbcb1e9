package rxcql

import (
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
)

var typeRow = reflect.TypeFor[Row]()

// sizes are those that rows share, and so do not count, and that of a Row.
var sizes = []codec.Known{
	{Type: typeRow, Size: func(p unsafe.Pointer) int { return (*Row)(p).Size() }},
	{Type: reflect.TypeFor[*Columns]()},
	{Type: reflect.TypeFor[*ColumnType]()},
	{Type: reflect.TypeFor[Column]()},
}

// SizeFunc returns a function that estimates the memory a T takes, text and
// slices included: what holders of rows charge to their account. What is reached
// twice counts twice, but the columns of Rows, which they share, do not count.
func SizeFunc[T any]() func(*T) int {
	if reflect.TypeFor[T]() == typeRow {
		return func(row *T) int { return int(unsafe.Sizeof(*row)) + any(row).(*Row).Size() }
	}
	return codec.SizeOf[T](sizes...)
}

// CloneFunc returns a function that makes a value fit to be kept when its page has
// gone: a copy that refers to no memory of the page, which it would keep alive. A
// Row is cloned and bytes ([]byte) are copied, wherever in T they are: in fields,
// elements, values of maps, and interfaces. What a pointer leads to is copied if a
// Row is in it and no lock (sync.Locker); other pointers stay as they are. Anything
// else is as it is.
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
