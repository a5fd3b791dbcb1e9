package main

import (
	"slices"
	"sync"
	"time"
)

// places are for what clients do that may last: a body that is being read, an answer that is being
// taken. One that lasts keeps its place only while nobody else wants it. So clients who are slow or
// stay for ever, however many they are, keep out no client who comes then; and where there is room
// a slow one has all the time that limits allow for.
type places struct {
	most  int
	quick time.Duration // for so long one keeps its place, whoever wants it

	mu    sync.Mutex
	taken []*place // the one that was taken first comes first
}

type place struct {
	begun time.Time
	cut   func() // ends what has it
}

// enter gives a place, if need be that of the one that was taken first, which is cut off. It
// returns nil if all were taken just now. leave gives the place back; behind it cut is not called
// any more. cut must not wait.
func (p *places) enter(cut func()) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if len(p.taken) >= p.most {
		first := p.taken[0]
		if now.Sub(first.begun) < p.quick {
			return nil
		}
		first.cut()
		p.taken = slices.Delete(p.taken, 0, 1)
	}
	mine := &place{begun: now, cut: cut}
	p.taken = append(p.taken, mine)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if i := slices.Index(p.taken, mine); i >= 0 {
			p.taken = slices.Delete(p.taken, i, i+1)
		}
	}
}
