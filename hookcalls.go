package rxcql

import (
	"context"
	"errors"
	"time"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rx"
)

// operation is a pair of hooks.
type operation[E any] struct {
	start func(*Hooks) func(context.Context, E) context.Context
	end   func(*Hooks) func(context.Context, E)
}

var (
	runs = operation[RunEvent]{
		func(h *Hooks) func(context.Context, RunEvent) context.Context { return h.RunStart },
		func(h *Hooks) func(context.Context, RunEvent) { return h.RunEnd },
	}
	fetches = operation[FetchEvent]{
		func(h *Hooks) func(context.Context, FetchEvent) context.Context { return h.FetchStart },
		func(h *Hooks) func(context.Context, FetchEvent) { return h.FetchEnd },
	}
	writes = operation[WriteEvent]{
		func(h *Hooks) func(context.Context, WriteEvent) context.Context { return h.WriteStart },
		func(h *Hooks) func(context.Context, WriteEvent) { return h.WriteEnd },
	}
	saves = operation[SaveEvent]{
		func(h *Hooks) func(context.Context, SaveEvent) context.Context { return h.SaveStart },
		func(h *Hooks) func(context.Context, SaveEvent) { return h.SaveEnd },
	}
)

// heard reports whether a hook is set for the operation.
func (o *operation[E]) heard(hooks []Hooks) bool {
	for i := range hooks {
		if o.start(&hooks[i]) != nil || o.end(&hooks[i]) != nil {
			return true
		}
	}
	return false
}

// begin calls the Start functions. It returns the context of the operation, and a function that
// calls the End functions.
func (o *operation[E]) begin(ctx context.Context, r *Execution, stage string, e E) (context.Context, func(E)) {
	hooks := r.cfg.hooks
	own := make([]context.Context, len(hooks))
	for i := range hooks {
		if start := o.start(&hooks[i]); start != nil {
			r.calling(stage, func() {
				if derived := start(ctx, e); derived != nil {
					ctx = derived
				}
			})
		}
		own[i] = ctx
	}
	return ctx, func(e E) {
		for i := len(hooks) - 1; i >= 0; i-- {
			if end := o.end(&hooks[i]); end != nil {
				r.calling(stage, func() { end(own[i], e) })
			}
		}
	}
}

// tell calls the functions that pick finds, if any.
func tell[E any](ctx context.Context, r *Execution, stage string, e E, pick func(*Hooks) func(context.Context, E)) {
	for i := range r.cfg.hooks {
		if hook := pick(&r.cfg.hooks[i]); hook != nil {
			r.calling(stage, func() { hook(ctx, e) })
		}
	}
}

// calling calls a hook. A hook that panics, or ends its goroutine as FailNow of a test does, fails
// the run.
func (r *Execution) calling(stage string, hook func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if value := recover(); value != nil {
			r.Fail(panicked(stage, value))
			return
		}
		r.Fail(&StageError{Stage: stage, Err: rx.ErrExited})
	}()
	hook()
	returned = true
}

// told returns the kind of the error of an operation in ctx (see FetchEvent), and the error as
// events have it: without what may be a value. If ctx has ended, its cause may have the words of
// any user's function, so only the kind is told.
func (r *Execution) told(ctx context.Context, err error) (kind string, shown error) {
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))):
		return driver.Cancelled.String(), &maskedError{err, "given up: " + ctx.Err().Error()}
	}
	return driver.Classify(err).String(), r.masked(err)
}

// Hooked reports whether the run has hooks (WithHooks), for stages that would measure something
// only to report it to hooks.
func (s *Stage) Hooked() bool { return len(s.run.cfg.hooks) > 0 }

// StartFetch is for sources that ask a server for pages, and for operators that look up. Call it
// before each request, make the request under the context that it returns, and call end after it,
// with the event and the results (Rows, Bytes, Host, Err). Stage, Start and ErrorType are filled
// in, and so is Duration if it is 0. So call end as soon as the answer is here, or set Duration
// yourself, measured from the return of StartFetch so that the time of hooks is not in it.
func (s *Stage) StartFetch(ctx context.Context, e FetchEvent) (_ context.Context, end func(FetchEvent)) {
	if !fetches.heard(s.run.cfg.hooks) {
		return ctx, func(FetchEvent) {}
	}
	return s.startFetch(ctx, e)
}

// startFetch and startWrite are functions of their own because of their closures: only runs with
// hooks pay for them.
func (s *Stage) startFetch(ctx context.Context, e FetchEvent) (context.Context, func(FetchEvent)) {
	begun := time.Now()
	e.Stage, e.Start = s.name, begun
	ctx, end := fetches.begin(ctx, s.run, s.name, e)
	sent := time.Now() // hooks may have taken a while
	return ctx, func(e FetchEvent) {
		if e.Duration == 0 {
			e.Duration = time.Since(sent)
		}
		e.Stage, e.Start = s.name, begun
		e.ErrorType, e.Err = s.run.told(ctx, e.Err)
		end(e)
	}
}

// StartWrite is StartFetch for sinks that send rows to a server. The result of the request is Err.
func (s *Stage) StartWrite(ctx context.Context, e WriteEvent) (_ context.Context, end func(WriteEvent)) {
	if !writes.heard(s.run.cfg.hooks) {
		return ctx, func(WriteEvent) {}
	}
	return s.startWrite(ctx, e)
}

func (s *Stage) startWrite(ctx context.Context, e WriteEvent) (context.Context, func(WriteEvent)) {
	begun := time.Now()
	e.Stage, e.Start = s.name, begun
	ctx, end := writes.begin(ctx, s.run, s.name, e)
	sent := time.Now()
	return ctx, func(e WriteEvent) {
		if e.Duration == 0 {
			e.Duration = time.Since(sent)
		}
		e.Stage, e.Start = s.name, begun
		e.ErrorType, e.Err = s.run.told(ctx, e.Err)
		end(e)
	}
}

// LimitChanged is for stages that adapt how many requests they have in flight: limit from now on,
// at most most. err is the reason, if any.
func (s *Stage) LimitChanged(limit, most int, err error) {
	e := LimitEvent{Stage: s.name, Limit: limit, Max: most}
	if err != nil {
		e.ErrorType = driver.Classify(err).String()
	}
	tell(s.run.ctx, s.run, s.name, e, func(h *Hooks) func(context.Context, LimitEvent) { return h.InFlightLimit })
}
