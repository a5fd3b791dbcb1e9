package deadletter

import (
	"io"
	"iter"
)

// ReadFrom is Read of what is in memory.
func ReadFrom[T any](from io.Reader, opts ...ReadOption) iter.Seq2[Letter[T], error] {
	cfg, err := newReadConfig(opts)
	if err != nil {
		panic(err)
	}
	return func(yield func(Letter[T], error) bool) { read(from, "memory", cfg, yield) }
}
