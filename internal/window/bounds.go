package window

import (
	"unsafe"

	"github.com/rxcql/rxcql/internal/growth"
)

// blockBytes is about how large a block of states may be.
const blockBytes = 64 << 10

// bounds count the states that are kept, and what they take.
type bounds[T any, K comparable, S any] struct {
	Config[T, K, S]
	states int64
	bytes  int64 // as far as measured
	slot   int64 // what a state takes besides its key and its value
	growth growth.Growth
}

// newBounds is for states that take so many bytes, with key and value, besides their place in a
// map.
func newBounds[T any, K comparable, S any](cfg Config[T, K, S], size uintptr) bounds[T, K, S] {
	var key K
	var value S
	place := 2 * (unsafe.Sizeof(key) + unsafe.Sizeof(uintptr(0))) // a map is half full at times
	return bounds[T, K, S]{
		Config: cfg, growth: growth.New(),
		slot: int64(size - unsafe.Sizeof(key) - unsafe.Sizeof(value) + place), //nolint:gosec // sizes of types
	}
}

// States returns how many states are kept.
func (b *bounds[T, K, S]) States() int64 { return b.states }

// Bytes returns how many bytes the states take, with what is needed to find them. Where states grow
// it is less by a quarter at most, unless they grow by much more than their rows.
func (b *bounds[T, K, S]) Bytes() int64 { return b.bytes }

// mayAdd reports whether there is room for a state.
func (b *bounds[T, K, S]) mayAdd() bool { return b.MaxStates == 0 || b.states < b.MaxStates }

// inBounds reports whether what is kept is not too much.
func (b *bounds[T, K, S]) inBounds() bool { return b.MaxBytes == 0 || b.bytes <= b.MaxBytes }

// size is what a state takes now.
func (b *bounds[T, K, S]) size(s *State[K, S]) int64 {
	return b.slot + int64(b.SizeKey(&s.Key)) + int64(b.SizeState(&s.Value))
}

// grows notes that a row was folded into a state that was there. It reports whether all states are
// to be measured now.
func (b *bounds[T, K, S]) grows(row *T) (measure bool) {
	return !b.FixedSize && b.growth.Fold(b.SizeRow(row))
}
