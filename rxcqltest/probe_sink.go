package rxcqltest

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Info implements rxcql.Sink. A row that comes twice does a probe no harm.
func (p *Probe[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"Probe"}}
}

// Check implements rxcql.Sink.
func (p *Probe[T]) Check(context.Context) error { return nil }

// Open implements rxcql.Sink.
func (p *Probe[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	st := r.SinkStage("Probe")
	return &probeWriter[T]{Probe: p, st: st, account: st.Account(true)}, nil
}

// probeWriter is a probe in one run.
type probeWriter[T any] struct {
	*Probe[T]
	st      *rxcql.Stage
	account *flow.Account
}

// Write waits until the test has asked for all rows of the page. Pages about all parts of a source
// are not shown.
func (w *probeWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	if p.Range == flow.AllParts { // of the engine, not of a source
		return nil
	}
	o := &offer[T]{said: p.Advance(), taken: make(chan error, 1), done: make(chan struct{})}
	defer close(o.done)
	for _, row := range p.Rows {
		o.rows = append(o.rows, w.keep(row))
	}
	select {
	case w.offers <- o:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-o.taken:
		if err != nil {
			return w.st.Fail(err)
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if len(p.Rows) > 0 {
		w.keepPage(w.account, p.Reservation)
	}
	w.st.CountWritten(len(p.Rows))
	return nil
}

// Flush waits until no page is held.
func (w *probeWriter[T]) Flush(ctx context.Context) error {
	for {
		w.mu.Lock()
		held, released := len(w.held), w.released
		w.mu.Unlock()
		if held == 0 {
			return nil
		}
		select {
		case <-released:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Close leaves pages that are held unsettled.
func (w *probeWriter[T]) Close() error {
	w.mu.Lock()
	for _, r := range w.held {
		r.Release()
	}
	w.empty()
	w.mu.Unlock()
	if w.pipeline == nil {
		close(w.over)
	}
	return nil
}
