package rxcql

import (
	"sync"
	"sync/atomic"
)

// hurry tells the stages that let rows linger that someone waits for them: a save,
// for which deliveries pause until everything is settled, or a source that has read
// far beyond a page that is not. No row comes then that a batch could still take.
type hurry struct {
	on   atomic.Int64 // who waits now
	mu   sync.Mutex
	told map[chan struct{}]struct{}
}

func (h *hurry) begin() {
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

func (h *hurry) end() { h.on.Add(-1) }

// Hurry returns a channel that has a token when what the stage lets linger shall go
// on at once, because a save or a source waits for it. For as long as that is so, Hurried tells
// that nothing more may linger. A stage that lingers (StageInfo.Lingers), and a sink
// that does, must heed both: else a job with a file lets one page through a linger.
// forget is called when the stage is done.
func (s *Stage) Hurry() (told <-chan struct{}, forget func()) {
	h, ch := &s.run.hurry, make(chan struct{}, 1)
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

// Hurried reports whether someone waits for what lingers; see Hurry.
func (s *Stage) Hurried() bool { return s.run.hurry.on.Load() > 0 }
