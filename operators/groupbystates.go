package operators

import (
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/growth"
)

// blockBytes is about how large a block of groups may be, and so a page of them.
const blockBytes = 64 << 10

// groups are the groups of a GroupBy, within its bounds, in the order in which they came.
type groups[K comparable, S any] struct {
	groupByConfig
	index  map[K]*Group[K, S]
	blocks [][]Group[K, S] // full, except the last; a block is never moved
	n      int64
	bytes  int64 // that they take, as far as measured
	charge *charging

	keep      func(K) K
	sizeKey   func(*K) int
	sizeState func(*S) int
	slot      int64 // what a group takes besides its key and its state
	fixed     bool  // all states have one size

	growth growth.Growth
}

func newGroups[K comparable, S any](cfg groupByConfig, account *flow.Account) *groups[K, S] {
	var group Group[K, S]
	m := &groups[K, S]{
		groupByConfig: cfg, index: map[K]*Group[K, S]{}, charge: newCharging(account),
		keep: keepKey[K](), sizeKey: rxcql.SizeFunc[K](), sizeState: rxcql.SizeFunc[S](), fixed: fixedSize(reflect.TypeFor[S]()),
		growth: growth.New(),
	}
	key := int64(unsafe.Sizeof(group.Key))
	m.slot = int64(unsafe.Sizeof(group)) - key - int64(unsafe.Sizeof(group.Value)) + 2*(key+int64(unsafe.Sizeof(&group))) // a map is half full at times
	return m
}

// find returns the group of a key, and makes it if there is none; nil if there is no room for it.
func (m *groups[K, S]) find(key K) (group *Group[K, S], isNew bool) {
	if group = m.index[key]; group != nil {
		return group, false
	}
	return m.add(key), true
}

// add is a function of its own since the key goes to the heap in it, which one that is there need
// not.
//
//go:noinline
func (m *groups[K, S]) add(key K) *Group[K, S] {
	if m.groups > 0 && m.n >= m.groups {
		return nil
	}
	if last := len(m.blocks) - 1; last < 0 || len(m.blocks[last]) == cap(m.blocks[last]) {
		var group Group[K, S]
		most := min(flow.DefaultPageRows, max(1, blockBytes/int64(unsafe.Sizeof(group))))
		m.blocks = append(m.blocks, make([]Group[K, S], 0, min(most, max(8, m.n)))) // as many again
	}
	block := &m.blocks[len(m.blocks)-1]
	key = m.keep(key)
	*block = append(*block, Group[K, S]{Key: key})
	group := &(*block)[len(*block)-1]
	if key == key { //nolint:gocritic // a NaN could never be found again
		m.index[key] = group
	}
	m.n++
	return group
}

// measureNew counts a group whose first row has been folded. It reports whether there is room.
func (m *groups[K, S]) measureNew(group *Group[K, S]) (room bool) {
	m.bytes += m.slot + int64(m.sizeKey(&group.Key)) + int64(m.sizeState(&group.Value))
	if !m.room() && m.growth.Folded() { // states may have shrunk since they were measured
		m.measure()
	}
	return m.room()
}

func (m *groups[K, S]) room() bool {
	return m.groupByConfig.bytes == 0 || m.bytes <= m.groupByConfig.bytes
}

// grow notes that a row of so many bytes has been folded into a group that was there. It reports
// whether there is room.
func (m *groups[K, S]) grow(bytes int) (room bool) {
	if !m.growth.Fold(bytes) {
		return true
	}
	m.measure()
	return m.room()
}

// measure measures all groups.
func (m *groups[K, S]) measure() {
	before := m.bytes
	m.bytes = 0
	for _, block := range m.blocks {
		for i := range block {
			m.bytes += m.slot + int64(m.sizeKey(&block[i].Key)) + int64(m.sizeState(&block[i].Value))
		}
	}
	m.growth.Measured(before, m.bytes)
}

// each calls fn with the groups, a block at a time, and with the bytes that they take, and forgets
// them.
func (m *groups[K, S]) each(fn func(rows []Group[K, S], bytes int64) error) error {
	m.index = nil
	left, n := m.charge.bytes, m.n
	for i, block := range m.blocks {
		bytes := left * int64(len(block)) / n
		left, n = left-bytes, n-int64(len(block))
		m.blocks[i] = nil
		if err := fn(block, bytes); err != nil {
			return err
		}
	}
	return nil
}
