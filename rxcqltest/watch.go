package rxcqltest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// trial is one run of a stream, under a watch.
type trial[T any] struct {
	stream rxcql.Stream[T]
	opts   []rxcql.Option
	holds  bool                              // the sink settles what it takes in Flush
	slow   time.Duration                     // what each page takes
	at     func(r *watching[T]) error        // before page number r.pages is taken; may be nil
	atDone func(ctx context.Context) error   // may be nil
	sees   func(p *flow.Page[T])             // a page is about to be handed on; may be nil
	took   func(rows []T, said flow.Advance) // a page was taken; may be nil

	pipeline *rxcql.Pipeline
	seen     seen
}

// seen is what a watch has seen of the calls.
type seen struct {
	overlap bool   // a call came while another was on its way
	after   string // a call came after Done, or after an error was returned
	dones   int
	stopped bool // as Done said
}

// run runs it.
func (r *trial[T]) run(ctx context.Context, t testing.TB) (rep rxcql.Report, err error) {
	t.Helper()
	watched := rxcql.Lift(r.stream, rxcql.StageInfo{Name: "Watch", OneToOne: true},
		func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
			return &watching[T]{trial: r, st: st, out: out}
		})
	r.pipeline, err = rxcql.New(watched, rxcql.Sink[T](&keeper[T]{holds: r.holds}), r.opts...)
	if isNotResumable(err) {
		t.Skipf("this rule was not tried: it cannot be part of a job: %v", err)
	}
	must(t, err, "rxcql.New")
	within(t, "Run", func() { rep, err = r.pipeline.Run(ctx) })
	return rep, err
}

// watching is the watch in a run. What it sees is kept under mu, since what it watches may
// call it from several goroutines, though it must not.
type watching[T any] struct {
	*trial[T]
	st  *rxcql.Stage
	out flow.Observer[T]
	ctx context.Context // of the call

	mu     sync.Mutex
	calls  int
	closed string // what was the last call that may come
	pages  int
}

// enter notes a call, and reports whether it may come.
func (w *watching[T]) enter(call string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls > 0 {
		w.seen.overlap = true
		return false
	}
	if w.closed != "" {
		w.seen.after = call + " was called after " + w.closed
		return false
	}
	w.calls++
	return true
}

func (w *watching[T]) leave(returned bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls--
	if w.closed != "" {
		return
	}
	switch {
	case !returned:
		w.closed = "a panic"
	case err != nil:
		w.closed = "an error had been returned"
	}
}

func (w *watching[T]) Next(ctx context.Context, p *flow.Page[T]) (err error) {
	if !w.enter("Next") {
		return nil
	}
	returned := false
	defer func() { w.leave(returned, err) }()
	w.ctx = ctx
	own := p.Range != flow.AllParts // else it is the engine's
	if w.at != nil && own {
		err = w.at(w)
	}
	if w.slow > 0 {
		time.Sleep(w.slow)
	}
	if own {
		w.pages++
	}
	if err == nil && w.sees != nil {
		w.sees(p)
	}
	if err == nil && w.took != nil {
		w.took(p.Rows, p.Advance())
	}
	if err == nil {
		err = w.out.Next(ctx, p)
	}
	returned = true
	return err
}

func (w *watching[T]) Done(ctx context.Context, stopped bool) (err error) {
	w.mu.Lock()
	w.seen.dones++
	w.mu.Unlock()
	if !w.enter("Done") {
		return nil
	}
	returned := false
	defer func() { w.leave(returned, err) }()
	w.seen.stopped = stopped
	if w.slow > 0 {
		time.Sleep(w.slow)
	}
	if w.atDone != nil {
		err = w.atDone(ctx)
	}
	w.mu.Lock()
	w.closed = "Done"
	w.mu.Unlock()
	if err == nil {
		err = w.out.Done(ctx, stopped)
	}
	returned = true
	return err
}

// end ends the stream on purpose, as Take does with its last page.
func (w *watching[T]) end() error {
	if err := w.out.Done(w.ctx, false); err != nil {
		return err
	}
	return w.st.End()
}

// keeper is a sink that writes nothing.
type keeper[T any] struct{ holds bool }

func (s *keeper[T]) Check(context.Context) error { return nil }

func (s *keeper[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"Keeper"}}
}

func (s *keeper[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	st := r.SinkStage("Keeper")
	return &keeperWriter[T]{holds: s.holds, st: st, account: st.Account(true)}, nil
}

type keeperWriter[T any] struct {
	holds   bool
	st      *rxcql.Stage
	account *flow.Account
	held    []*flow.Reservation
}

func (w *keeperWriter[T]) Write(_ context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	w.st.CountWritten(len(p.Rows))
	if w.holds {
		r := w.account.Reservation()
		r.Take(p.Reservation, p.Bytes())
		w.held = append(w.held, r)
	}
	return nil
}

func (w *keeperWriter[T]) Flush(context.Context) error {
	for _, r := range w.held {
		r.Settle()
	}
	w.held = nil
	return nil
}

func (w *keeperWriter[T]) Close() error {
	for _, r := range w.held {
		r.Release()
	}
	return nil
}
