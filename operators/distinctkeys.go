package operators

import (
	"unsafe"

	"github.com/rxcql/rxcql"
)

// metKeys are the keys that a Distinct has met, within its bounds.
type metKeys[K comparable] struct {
	distinctConfig
	keys  map[K]struct{}
	order []K // the order in which they came, as a ring: the oldest is at first; only to forget
	first int
	bytes int64
	gone  int // forgotten since it was asked for

	keep func(K) K
	size func(*K) int
	slot int64 // what a key takes besides: its place in the map, and in the ring
}

func newMetKeys[K comparable](cfg distinctConfig) *metKeys[K] {
	var key K
	m := &metKeys[K]{distinctConfig: cfg, keys: map[K]struct{}{}, size: rxcql.SizeFunc[K](), keep: keepKey[K]()}
	m.slot = int64(unsafe.Sizeof(key)) + 8 // a map is half full at times
	if cfg.forget {
		m.slot += 2 * int64(unsafe.Sizeof(key)) // as a slice is that has just grown
	}
	return m
}

func (m *metKeys[K]) len() int { return len(m.keys) }

// add reports whether a key is met for the first time, and whether there was room for it.
func (m *metKeys[K]) add(key K) (isNew, room bool) {
	if _, met := m.keys[key]; met {
		return false, true
	}
	if key != key { //nolint:gocritic // NaN: it could never be found again, nor deleted
		return true, true
	}
	return m.meet(key)
}

// meet keeps a key, if there is room. It is a function of its own since the key goes to the heap
// in it, which one that has been met need not.
//
//go:noinline
func (m *metKeys[K]) meet(key K) (isNew, room bool) {
	bytes := m.slot + int64(m.size(&key))
	for m.full(bytes) {
		if !m.forget || len(m.keys) == 0 {
			return false, false
		}
		m.forgetFirst()
	}
	key = m.keep(key)
	m.keys[key] = struct{}{}
	m.bytes += bytes
	if m.forget {
		m.push(key)
	}
	return true, true
}

// full reports whether a key of so many bytes is one too many.
func (m *metKeys[K]) full(bytes int64) bool {
	n := int64(len(m.keys))
	return m.distinctConfig.keys > 0 && n >= m.distinctConfig.keys || m.distinctConfig.bytes > 0 && m.bytes+bytes > m.distinctConfig.bytes
}

func (m *metKeys[K]) forgetFirst() {
	var none K
	oldest := m.order[m.first]
	m.order[m.first] = none
	m.first = (m.first + 1) % len(m.order)
	delete(m.keys, oldest)
	m.bytes -= m.slot + int64(m.size(&oldest))
	m.gone++
}

// push puts a key, which is in the map already, behind the others in the ring.
func (m *metKeys[K]) push(key K) {
	n := len(m.keys) - 1
	if n == len(m.order) {
		grown := make([]K, max(16, 2*n))
		copied := copy(grown, m.order[m.first:])
		copy(grown[copied:], m.order[:m.first])
		m.order, m.first = grown, 0
	}
	m.order[(m.first+n)%len(m.order)] = key
}

// forgotten is how many keys were forgotten since it was last asked.
func (m *metKeys[K]) forgotten() int {
	n := m.gone
	m.gone = 0
	return n
}
