package window

import (
	"slices"
	"sort"
)

const (
	fewSessions = 16  // of one key: so many are looked at one by one
	mostInBlock = 512 // sessions
	listedBytes = 16  // what a session takes in a list: its place, in a block that may be half full
)

// manySessions are all sessions of a key that has many, by their times. They are in blocks, none of
// which is empty, so that one that comes in between moves those of its block alone.
type manySessions[K comparable, S any] struct{ blocks [][]*session[K, S] }

// place returns where the first session is that ends after a time: its block, and where in that. If
// there is none, the block is the one after the last.
func (l *manySessions[K, S]) place(at int64) (block, i int) {
	block = sort.Search(len(l.blocks), func(b int) bool { return l.blocks[b][len(l.blocks[b])-1].end > at })
	if block == len(l.blocks) {
		return block, 0
	}
	in := l.blocks[block]
	return block, sort.Search(len(in), func(i int) bool { return in[i].end > at })
}

// around returns the last session that ends at or before a time, and the first that ends after it;
// nil if there is none.
func (l *manySessions[K, S]) around(at int64) (before, first *session[K, S]) {
	block, i := l.place(at)
	switch {
	case i > 0:
		before = l.blocks[block][i-1]
	case block > 0:
		before = l.blocks[block-1][len(l.blocks[block-1])-1]
	}
	if block < len(l.blocks) {
		first = l.blocks[block][i]
	}
	return before, first
}

func (l *manySessions[K, S]) insert(s *session[K, S]) {
	block, i := l.place(s.start)
	if block == len(l.blocks) {
		if block == 0 {
			l.blocks = append(l.blocks, nil)
		} else {
			block--
			i = len(l.blocks[block])
		}
	}
	in := slices.Insert(l.blocks[block], i, s)
	l.blocks[block] = in
	if len(in) > mostInBlock {
		half := slices.Clone(in[mostInBlock/2:])
		clear(in[mostInBlock/2:])
		l.blocks[block] = in[:mostInBlock/2]
		l.blocks = slices.Insert(l.blocks, block+1, half)
	}
}

func (l *manySessions[K, S]) remove(s *session[K, S]) {
	block, i := l.place(s.end - 1)
	if l.blocks[block] = slices.Delete(l.blocks[block], i, i+1); len(l.blocks[block]) == 0 {
		l.blocks = slices.Delete(l.blocks, block, block+1)
	}
}

// around returns the last session of a key that ends at or before a time, and the first that ends
// after it; nil if there is none.
func (m *Sessions[T, K, S]) around(at int64, key K) (before, first *session[K, S]) {
	first = m.index[key]
	if first != nil && first.listed {
		return m.many[first.Key].around(at)
	}
	for steps := 0; first != nil && first.end <= at; steps++ {
		if steps == fewSessions {
			m.listAll(m.index[key])
			return m.many[first.Key].around(at)
		}
		before, first = first, first.after
	}
	return before, first
}

// listAll makes the list of the sessions of a key.
func (m *Sessions[T, K, S]) listAll(first *session[K, S]) {
	if m.many == nil {
		m.many = map[K]*manySessions[K, S]{}
	}
	m.many[first.Key] = &manySessions[K, S]{}
	for s := first; s != nil; s = s.after {
		m.list(s)
		m.measureAnew(s)
	}
}

// list puts a session in the list of its key.
func (m *Sessions[T, K, S]) list(s *session[K, S]) {
	s.listed = true
	m.many[s.Key].insert(s)
}

// unlist takes a session that is gone out of the list of its key, if that has one.
func (m *Sessions[T, K, S]) unlist(s *session[K, S]) {
	if !s.listed {
		return
	}
	of := m.many[s.Key]
	if of.remove(s); len(of.blocks) == 0 {
		delete(m.many, s.Key)
	}
}
