package main

import (
	"encoding/json"
	"fmt"
	"sync"
)

// hub gives windows to those who watch. It never waits for a watcher: one that is too far behind
// loses its place, and finds what it has missed in the table. So does one that has watched while
// another instance may have made windows.
type hub struct {
	behind int // chunks that a watcher may be behind

	mu       sync.Mutex
	run      int          // of the job, counted by reset
	pages    []*announced // that are not durable, or behind one that is not, in the order of the stream
	watchers map[*watcher]struct{}
	closed   bool
}

// announced is a page of windows that is on its way into the table.
type announced struct {
	chunk   []byte
	durable bool
}

// watcher is one who watches. Chunks are shared by all. The channel is closed when the watcher has
// fallen behind or may have missed windows, or the hub is closed.
type watcher struct {
	chunks chan []byte
	run    int // of the job, when it came
}

func newHub(behind int) *hub { return &hub{behind: behind, watchers: map[*watcher]struct{}{}} }

// announce is told of windows that are being written; see whenDurable. Watchers get them in the
// order of the stream, so that the id of an event says that all before it have been had.
func (h *hub) announce(rows []Rollup) (durable func()) {
	page := &announced{}
	for _, row := range rows {
		page.chunk = appendEvent(page.chunk, row)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages = append(h.pages, page)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		page.durable = true
		for len(h.pages) > 0 && h.pages[0].durable {
			h.give(h.pages[0].chunk)
			h.pages[0] = nil
			h.pages = h.pages[1:]
		}
	}
}

// reset forgets what a run that has failed had announced: the next one announces it again. Another
// instance may make windows before that one does, so it gives none to those who watch already.
func (h *hub) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages = nil
	h.run++
}

// give hands a chunk to all watchers who have missed nothing. The caller holds mu.
func (h *hub) give(chunk []byte) {
	for w := range h.watchers {
		if w.run != h.run {
			h.drop(w)
			continue
		}
		select {
		case w.chunks <- chunk:
		default:
			h.drop(w)
		}
	}
}

// drop takes a watcher's place away, with what waits for it. The caller holds mu.
func (h *hub) drop(w *watcher) {
	if _, there := h.watchers[w]; !there {
		return
	}
	delete(h.watchers, w)
	for len(w.chunks) > 0 {
		select {
		case <-w.chunks:
		default:
		}
	}
	close(w.chunks)
}

// watch gives a place to a watcher, who leaves it by leave.
func (h *hub) watch() *watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &watcher{chunks: make(chan []byte, h.behind), run: h.run}
	if h.closed {
		close(w.chunks)
		return w
	}
	h.watchers[w] = struct{}{}
	return w
}

func (h *hub) leave(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(w)
}

// close sends all watchers away.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for w := range h.watchers {
		h.drop(w)
	}
}

// appendEvent appends a window as an event. Its id is the end of the window: who has it has had all
// windows that end before, and maybe others of the same end. Windows come in the order of their
// ends.
func appendEvent(to []byte, row Rollup) []byte {
	data, err := json.Marshal(row)
	if err != nil { // there is no number in it that JSON does not have: see readLine
		panic(err)
	}
	return fmt.Appendf(to, "id: %d\ndata: %s\n\n", row.Until.UnixMilli(), data)
}
