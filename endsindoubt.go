package rxcql

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxcql/rxcql/flow"
)

// handing is what a stage is handing on. It says whether it is in doubt that the stage may have
// ended its stream as it did. Where it has done so by the context of a page that is still on its
// way downstream, that is seen when the page comes back (handedBack), and the run fails. But pages
// of other inputs may have been dropped on purpose by then, and settled.
type handing struct {
	before atomic.Int64 // calls of Next and Done that began before the stage ended its stream

	mu     sync.Mutex
	behind map[*handedIn]struct{} // those that began then, or later
}

// handedIn is the context of a call.
type handedIn struct {
	context.Context
	stop context.CancelCauseFunc // nil if it is the stage's
}

// handsOn notes that a call of Next or Done begins, and returns the context for it. A stage that
// has ended its stream may hand on what it still has in the context by which it did so: then that
// is taken all the same, in the context in which its stream is read. back notes that the call has
// returned. If it has not (runtime.Goexit), the end stays in doubt.
func (s *Stage) handsOn(ctx, reading context.Context) (context.Context, *handedIn) {
	if s.end.Load() == nil {
		s.handing.before.Add(1)
		if s.end.Load() == nil {
			return ctx, nil
		}
		s.handing.before.Add(-1)
	}
	call := &handedIn{Context: ctx}
	if s.endedIn(ctx) {
		call.Context, call.stop = withEndOf(ctx, reading, func(cause error) error { return cause })
	}
	s.handing.mu.Lock()
	defer s.handing.mu.Unlock()
	if s.handing.behind == nil {
		s.handing.behind = map[*handedIn]struct{}{}
	}
	s.handing.behind[call] = struct{}{}
	return call.Context, call
}

func (s *Stage) back(call *handedIn) {
	if call == nil {
		s.handing.before.Add(-1)
		return
	}
	if call.stop != nil {
		call.stop(nil)
	}
	s.handing.mu.Lock()
	defer s.handing.mu.Unlock()
	delete(s.handing.behind, call)
}

// endInDoubt reports whether a page is on its way whose context the stage may have ended when it
// ended its stream. Of a page that it has handed on since then, that is known. Where a run reads
// the stage several times, all of these count.
func (s *Stage) endInDoubt() bool {
	if s.end.Load() == nil {
		return false
	}
	if s.handing.before.Load() > 0 {
		return true
	}
	s.handing.mu.Lock()
	defer s.handing.mu.Unlock()
	for call := range s.handing.behind {
		if s.endedIn(call.Context) {
			return true
		}
	}
	return false
}

// endedIn reports whether a context has ended because the stage has ended its stream.
func (s *Stage) endedIn(ctx context.Context) bool {
	var end *flow.End
	return errors.As(context.Cause(ctx), &end) && end == s.end.Load()
}

// endsInDoubt reports whether a stage has ended its stream by the context of a page on its way, or
// may have. What is settled is not saved then. Saves wait no longer than until the pages that were
// on their way when a stage ended its stream have come back: they may be waiting for room, or for a
// rate. A run in which a stage has done so fails.
func (r *Execution) endsInDoubt() bool {
	r.mu.Lock()
	open := slices.ContainsFunc(r.order, (*Stage).endInDoubt)
	r.mu.Unlock()
	if open { // ask for it first: a wrong end is in doubt until it is known to be one
		return true
	}
	r.wrongEnds.Range(func(any, any) bool { open = true; return false })
	return open
}
