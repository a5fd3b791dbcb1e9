package operators

import (
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/window"
)

// sessionEnds has to do with sessions in a job.
type sessionEnds[T any, K comparable, S any] struct {
	states   *window.Sessions[T, K, S]
	frontier *flow.Frontier
	gap      int64
	job      bool // pages have shown that it is one

	// What was durable before this run, by the ends of the gaps of rows: of all keys, and of any.
	restored, latest int64
	until            map[K]int64 // of the keys that were asked for: to hash a key takes long
}

// mostUntil is how many keys are kept at most with what was durable of them.
const mostUntil = 1 << 16

func newSessionEnds[T any, K comparable, S any](states *window.Sessions[T, K, S], frontier *flow.Frontier, gap, restored int64) *sessionEnds[T, K, S] {
	e := &sessionEnds[T, K, S]{states: states, frontier: frontier, gap: gap, restored: restored, latest: restored}
	if restored != window.Never {
		e.latest = frontier.RestoredSessions().Time().UnixMicro()
	}
	return e
}

// page looks at a page.
func (e *sessionEnds[T, K, S]) page(res *flow.Reservation) {
	if !e.job && res.Tracked() {
		e.job = true
		e.states.NoteEnds()
	}
}

// durable reports whether the session of a row was durable before this run.
func (e *sessionEnds[T, K, S]) durable(at int64, key K) bool {
	end := at + e.gap
	return end <= e.latest && (end <= e.restored || end <= e.durableOf(key))
}

// durableOf returns up to where the sessions of a key were durable.
func (e *sessionEnds[T, K, S]) durableOf(key K) int64 {
	until, known := e.until[key]
	if known {
		return until
	}
	if e.until == nil || len(e.until) == mostUntil {
		e.until = map[K]int64{}
	}
	until = e.frontier.RestoredSession(string(hashKey(key))).Time().UnixMicro()
	e.until[keepKey[K]()(key)] = until
	return until
}

// ended returns up to where sessions are over, if all rows before a time are in sessions that are.
// The frontier counts a row by the end of its gap, so that is what it is told. With it come the
// sessions that end later: no row before their end is of another session, neither one that was
// counted nor one that came too late to make it longer.
func (e *sessionEnds[T, K, S]) ended(before int64) (upTo int64, ends []flow.SessionEnd) {
	if before > e.latest {
		e.until = nil
	}
	if upTo = before; upTo != window.Never && upTo != window.Forever {
		upTo += e.gap - 1
	}
	for _, s := range e.states.TakeEnded() {
		if end := s.End + e.gap - 1; end > upTo { // that is where the gap of its last moment ends
			ends = append(ends, flow.SessionEnd{Key: string(hashKey(s.Key)), End: watermarkAt(end)})
		}
	}
	return upTo, ends
}
