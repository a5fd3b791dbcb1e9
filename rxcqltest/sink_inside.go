package rxcqltest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// insideRules are about how a sink calls another one that is inside it: as the engine calls sinks.
// They are those of Reactive Streams (1.3, 1.7) that callRules has for streams.
func insideRules[T any]() []rule[SinkPlace[T]] {
	return []rule[SinkPlace[T]]{
		{"A sink inside is called one call at a time", func(t testing.TB, p SinkPlace[T]) {
			r, inside := p.newRunAround(t)
			_, err := r.run(t.Context(), t)
			inside.mu.Lock()
			defer inside.mu.Unlock()
			if inside.overlap != "" {
				t.Fatal(inside.overlap)
			}
			must(t, err, "a run into a sink with another one inside")
		}},
		{"A sink inside is flushed once when all is written, closed once at last, and then left alone", func(t testing.TB, p SinkPlace[T]) {
			r, inside := p.newRunAround(t)
			_, err := r.run(t.Context(), t)
			must(t, err, "a run into a sink with another one inside")
			inside.left(t, 1, "a run in which nothing goes wrong")

			r, inside = p.newRunAround(t)
			r.fails = func(rows int) error {
				if rows >= jobRows/2 {
					return errSource
				}
				return nil
			}
			_, err = r.run(t.Context(), t)
			if !errors.Is(err, errSource) {
				t.Fatalf("a run whose source failed returned %v", err)
			}
			inside.left(t, 0, "a run whose source failed")
		}},
	}
}

// newRunAround is newRun for the sink with one of the suite inside.
func (p SinkPlace[T]) newRunAround(t testing.TB) (*sinkRun[T], *insideSink[T]) {
	t.Helper()
	need(t, p.Around != nil, "Around")
	inside := &insideSink[T]{}
	r := p.newRun()
	r.sink, r.unwatched = p.Around(inside), true
	return r, inside
}

// atWork is how long a Write of the sink inside takes, unless another call comes meanwhile.
const atWork = 5 * time.Millisecond

// insideSink is a sink that writes nothing, and sees how it is called.
type insideSink[T any] struct {
	mu      sync.Mutex
	overlap string // what came while another call was on its way
	after   string // what came after the call that must be the last
	writers []*insideWriter[T]
}

func (s *insideSink[T]) Check(context.Context) error { return nil }

func (s *insideSink[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"Inside"}}
}

func (s *insideSink[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	w := &insideWriter[T]{of: s, st: r.SinkStage("Inside"), another: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers = append(s.writers, w)
	return w, nil
}

// left fails the test unless each writer was flushed so often, and closed once, after that.
func (s *insideSink[T]) left(t testing.TB, flushes int, after string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.after != "" {
		t.Fatalf("in %s %s", after, s.after)
	}
	if len(s.writers) == 0 {
		t.Fatalf("in %s the sink inside was not opened", after)
	}
	for _, w := range s.writers {
		if w.flushes != flushes || w.closes != 1 {
			t.Fatalf("in %s the sink inside was flushed %d times, not %d, and closed %d times, not once", after, w.flushes, flushes, w.closes)
		}
	}
}

// insideWriter is insideSink in a run. What it sees is kept under the mutex of the sink, since it
// may be called from several goroutines, though it must not.
type insideWriter[T any] struct {
	of      *insideSink[T]
	st      *rxcql.Stage
	another chan struct{} // gets a token when a call comes while another is on its way

	calls           int
	last            string // the call that must be the last but Close; "" before it
	flushes, closes int
}

// enter notes a call, and returns what notes its end.
func (w *insideWriter[T]) enter(call string) (leave func()) {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.calls++; w.calls > 1 {
		w.of.overlap = "a call of " + call + " of the sink inside came while another call was on its way"
		select {
		case w.another <- struct{}{}:
		default:
		}
	}
	if w.last != "" && (call != "Close" || w.last == "Close") {
		w.of.after = call + " of the sink inside was called after " + w.last
	}
	switch call {
	case "Flush":
		w.flushes++
		w.last = call
	case "Close":
		w.closes++
		w.last = call
	}
	return func() {
		w.of.mu.Lock()
		defer w.of.mu.Unlock()
		w.calls--
	}
}

func (w *insideWriter[T]) Write(_ context.Context, p *flow.Page[T]) error {
	defer w.enter("Write")()
	w.st.CountIn(len(p.Rows))
	w.st.CountWritten(len(p.Rows))
	timer := time.NewTimer(atWork)
	defer timer.Stop()
	select {
	case <-w.another:
	case <-timer.C:
	}
	return nil
}

func (w *insideWriter[T]) Flush(context.Context) error {
	w.enter("Flush")()
	return nil
}

func (w *insideWriter[T]) Close() error {
	w.enter("Close")()
	return nil
}
