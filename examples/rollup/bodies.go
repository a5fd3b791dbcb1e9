package main

import (
	"slices"
	"sync"
	"time"
)

// bodies has a place for each body that is being read. One that comes slowly keeps its place only
// while nobody else wants it. So clients who send a byte now and then, however many they are, keep
// out no client who sends at once; and where there is room a slow one has all of limits.bodyTime.
type bodies struct {
	most  int
	quick time.Duration // for so long a body keeps its place, whoever wants it

	mu   sync.Mutex
	open []*openBody // the one that was begun first comes first
}

type openBody struct {
	begun time.Time
	cut   func() // ends the reading
}

// enter gives a body a place, if need be that of the body that was begun first, which is cut off.
// It returns nil if all have begun just now. leave gives the place back; behind it cut is not
// called any more.
func (b *bodies) enter(cut func()) (leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if len(b.open) >= b.most {
		first := b.open[0]
		if now.Sub(first.begun) < b.quick {
			return nil
		}
		first.cut()
		b.open = slices.Delete(b.open, 0, 1)
	}
	body := &openBody{begun: now, cut: cut}
	b.open = append(b.open, body)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if i := slices.Index(b.open, body); i >= 0 {
			b.open = slices.Delete(b.open, i, i+1)
		}
	}
}
