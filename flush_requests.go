package rxcql

import (
	"sync"
	"sync/atomic"
	"time"
)

// flushRequests tells the stages that let rows linger that something waits for these rows: a save,
// for which deliveries pause until everything is settled, or a source that has read far beyond a
// page that is not settled. Meanwhile no row comes that could fill a batch.
type flushRequests struct {
	on    atomic.Int64 // who waits now
	mu    sync.Mutex
	told  map[chan struct{}]struct{}
	ended time.Time // when the last of those who have waited did no longer
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

func (h *flushRequests) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = time.Now()
	h.on.Add(-1)
}

// FlushRequests returns a channel that gets a token when the stage must hand on at once what it
// lets linger, because a save or a source waits for it. For as long as that lasts, FlushRequested
// reports true and nothing more may linger.
//
// A stage that lingers (StageInfo.LingersOnRows), and a sink that does, must heed both: otherwise a
// job that writes a file gets one page through for each linger. Call forget when the stage is done.
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

// FlushRequested reports whether something waits for the rows that linger; see FlushRequests.
func (s *Stage) FlushRequested() bool { return s.run.flushing.on.Load() > 0 }
