package rxcql

import (
	"sync"
	"sync/atomic"
)

// flushRequests tells the stages that let rows linger that someone waits for them: a save,
// for which deliveries pause until everything is settled, or a source that has read
// far beyond a page that is not. No row comes then that a batch could still take.
type flushRequests struct {
	on   atomic.Int64 // who waits now
	mu   sync.Mutex
	told map[chan struct{}]struct{}
}

func (h *flushRequests) begin() {
	h.on.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	for told := range h.told {
		select {
		case told <- struct{}{}:
		default:
		}
	}
}

func (h *flushRequests) end() { h.on.Add(-1) }

// FlushRequests returns a channel that has a token when what the stage lets linger shall go
// on at once, because a save or a source waits for it. For as long as that is so, FlushRequested tells
// that nothing more may linger. A stage that lingers (StageInfo.LingersOnRows), and a sink
// that does, must heed both: else a job with a file lets one page through a linger.
// forget is called when the stage is done.
func (s *Stage) FlushRequests() (told <-chan struct{}, forget func()) {
	h, ch := &s.run.flushing, make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told == nil {
		h.told = map[chan struct{}]struct{}{}
	}
	h.told[ch] = struct{}{}
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.told, ch)
	}
}

// FlushRequested reports whether someone waits for what lingers; see FlushRequests.
func (s *Stage) FlushRequested() bool { return s.run.flushing.on.Load() > 0 }
