//go:build !race

package sink_test

// The tests of what is alive are not built with the race detector: it changes what is alive
// and takes ten times as long to collect it. CI runs the tests without it as well.

import (
	"runtime"
	"sync/atomic"

	"github.com/stretchr/testify/require"
)

// heap measures what is alive, at moments that a test chooses.
type heap struct {
	before int64
	most   atomic.Int64
}

func alive() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func newHeap() *heap { return &heap{before: alive()} }

func (h *heap) measure() { h.most.Store(max(h.most.Load(), alive()-h.before)) }

// within reports whether no more was alive than is promised.
func (h *heap) within(t require.TestingT, budget int64, of string) {
	require.LessOrEqual(t, h.most.Load(), 3*budget+16<<20, "%s: %d KiB were alive with a budget of %d KiB", of, h.most.Load()>>10, budget>>10)
}
