package sink

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// Each calls fn with every row. By default the calls come one after the other, in the order of the
// stream, in the goroutine that runs the pipeline. With InFlight(n) up to n calls are made at once,
// in no order. A row is done when fn has returned nil: its receipt may settle then, so fn must not
// leave work behind that can still fail. Delivery is at least once.
//
// fn gets a context that ends a grace period after the run's, so that fn can finish what it has
// begun. No call begins after the run's context has ended. With InFlight(n), calls in flight are
// waited for.
//
// An error of fn belongs to its row (rxcql.WithRowErrors): by default it fails the run, as a
// rxcql.StageError around a rxcql.RowError, else the row is left out. A panic always fails the run,
// as a StageError with its stack.
//
// In a job with a checkpoint fn must keep no state from row to row: a run that goes on begins in
// the middle of the rows. In memory are the pages in flight.
func Each[T any](fn func(ctx context.Context, row T) error, opts ...EachOption) rxcql.Sink[T] {
	e := &each[T]{fn: fn, cfg: eachConfig{inFlight: 1}}
	errs := []error{option.Apply(opts, &e.cfg, EachOption.applyEach)}
	if fn == nil {
		errs = append(errs, errors.New("the function is nil"))
	}
	e.err = stageError("sink.Each", errs...)
	return e
}

// eachConfig has the options of Each.
type eachConfig struct {
	inFlight   int
	idempotent bool
}

type each[T any] struct {
	fn  func(context.Context, T) error
	cfg eachConfig
	err error
}

// Info: only a function that may be called twice with a row can be part of a job.
func (e *each[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{
		Err: e.err, Stages: []string{"Each"}, Resumable: e.cfg.idempotent,
		NotResumableReason: "sink.Each calls its function again with rows when a job goes on; give Idempotent() if that does no harm",
	}
}

func (e *each[T]) Check(context.Context) error { return e.err }

func (e *each[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if e.err != nil {
		return nil, e.err
	}
	if e.cfg.inFlight == 1 {
		return &eachInOrder[T]{st: r.SinkStage("Each"), fn: e.fn, ctx: ctx}, nil
	}
	return openRows(ctx, r, "Each", e.cfg.inFlight, func(row T) (func(context.Context) error, error) {
		return func(ctx context.Context) error { return ofUsers(e.fn(ctx, row), row) }, nil
	}), nil
}

// eachInOrder calls the function in the goroutine that writes. A page is done when Write returns,
// so it holds nothing.
type eachInOrder[T any] struct {
	st  *rxcql.Stage
	fn  func(context.Context, T) error
	ctx context.Context // the context of Sink.Open
}

func (w *eachInOrder[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	done := 0
	err := w.st.Protect(func() error {
		for i, row := range p.Rows {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := w.fn(w.ctx, row); err != nil { //nolint:contextcheck // what has begun may outlive the run by the grace period
				err = w.st.RowFailed(w.ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Index: i, Row: row, Err: err, Users: true}) //nolint:contextcheck // as above
				if err != nil {
					return err
				}
				continue
			}
			done++
		}
		return nil
	})
	if done > 0 {
		w.st.CountWritten(done)
	}
	return err
}

func (w *eachInOrder[T]) Flush(context.Context) error { return nil }

func (w *eachInOrder[T]) Close() error { return nil }
