package rxcql

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// Attempt is one reading of a stream that has ended, for operators that can go on after a failure
// of what they read. Stream.Attempt makes it.
type Attempt struct {
	// Err is how the reading ended, as from Stream.Subscribe.
	Err error
	// Failed: Err is a failure of the stream itself, and the operator may go on by Again, Leave or
	// Abandon. Otherwise it returns Err as it is. That is so with errors of what follows the
	// operator, an end on purpose, a cancel, a panic and runtime.Goexit; and with errors that say
	// that the run itself cannot go on so: ErrConfig, ErrSingleRun, ErrBudgetHeld, ErrSkipLimit,
	// ErrNotResumable, and those of checkpoints.
	Failed bool
	// Stopped: the reading was stopped early (Pipeline.Stop).
	Stopped bool

	st     *Stage
	within *Attempt // whose reading this one is a part of; may be nil

	mu       sync.Mutex
	parts    []*Attempt // by operators upstream
	readings []*flow.Origin
	sources  []*Stage
}

// Attempt is Subscribe for operators that can go on after a failure of the stream, such as
// operators.Retry. Done is not passed on to out: the operator calls out.Done when it is through
// with all that it reads. An attempt that has failed is told to out in pages without rows: nothing
// more comes of its sources. For that the operator is marked by StageInfo.Attempts.
func (s Stream[T]) Attempt(ctx context.Context, st *Stage, out flow.Observer[T]) *Attempt {
	a := &Attempt{st: st, within: attemptOf(ctx, st.run)}
	if w := a.within; w != nil {
		w.mu.Lock()
		w.parts = append(w.parts, a)
		w.mu.Unlock()
	}
	to := &attempting[T]{out: out}
	a.Err = s.Subscribe(context.WithValue(ctx, attemptKey{}, a), st, to)
	a.Stopped = to.stopped
	a.Failed = a.Err != nil && !to.refused && ctx.Err() == nil && st.run.ctx.Err() == nil && !isFinal(a.Err)
	if in := inputsOf(ctx, st); in != nil && a.Failed && st.node.info.Attempts {
		var all flow.Advances
		in.failed(&all)
		to.heard.ended(&all)
		if err := flow.Tell(ctx, in.account, &all, out); err != nil {
			if a.Err, a.Failed = err, false; flow.IsEnd(err) { // what follows needs no more
				a.Abandon()
			}
		}
	}
	return a
}

// finalErrors are those that another reading would not remedy, or would hide.
var finalErrors = []error{
	ErrPanic, rx.ErrExited, ErrConfig, ErrSingleRun, ErrBudgetHeld, ErrSkipLimit, ErrNotResumable, ErrClockBehind,
	ErrCheckpointLocked, ErrCheckpointLost, ErrCheckpointForeign, ErrCheckpointDamaged, ErrCheckpointNewer,
}

func isFinal(err error) bool {
	return flow.IsEnd(err) || slices.ContainsFunc(finalErrors, func(kind error) bool { return errors.Is(err, kind) })
}

type attemptKey struct{}

// attemptOf returns the attempt that a subscription of a run is a part of; nil if there is none. A
// function of the user's may read a stream with the context that it gets: that is another run.
func attemptOf(ctx context.Context, r *Execution) *Attempt {
	if a, _ := ctx.Value(attemptKey{}).(*Attempt); a != nil && a.st.run == r {
		return a
	}
	return nil
}

// reads notes a reading of a source. It does nothing for a nil Attempt.
func (a *Attempt) reads(source *Stage, reading *flow.Origin) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readings = append(a.readings, reading)
	if !slices.Contains(a.sources, source) {
		a.sources = append(a.sources, source)
	}
}

// Again is called before the operator reads the stream again. Pages that the failed attempt has
// read and that are not settled need not be settled any more: their rows are about to come again.
// In a job the sources go on after what is settled; else they begin anew. Hooks and the log are
// told, and Report.Retried counts it. attempt is the number of the one that begins (2 is the first
// repeat), wait the wait before it.
func (a *Attempt) Again(ctx context.Context, attempt int, wait time.Duration) {
	a.giveUp()
	r := a.st.run
	r.Log().LogAttrs(ctx, slog.LevelWarn, "a stream failed and is read again", slog.String("stage", a.st.name),
		slog.Int("attempt", attempt), slog.Duration("wait", wait), slog.String("error", r.shown(a.Err)))
	a.st.retried(ctx, attempt, wait, a.Err)
}

// Leave is called before the operator goes over to another stream. Pages that the failed attempt
// has read and that are not settled need not be settled any more: what of them was not handed on is
// lost, on purpose. So the run is not Complete, and Report.EndedBy names the operator. Hooks and
// the log are told.
func (a *Attempt) Leave(ctx context.Context) {
	a.giveUp()
	r := a.st.run
	r.endedBy(a.st.name)
	r.Log().LogAttrs(ctx, slog.LevelWarn, "a stream failed and another one takes its place", slog.String("stage", a.st.name),
		slog.String("error", r.shown(a.Err)))
	e := RecoverEvent{Stage: a.st.name}
	e.ErrorType, e.Err = r.told(ctx, a.Err)
	tell(ctx, r, a.st.name, e, func(h *Hooks) func(context.Context, RecoverEvent) { return h.Recover })
}

// Abandon is called where the operator ends in order after the failure, because Pipeline.Stop was
// called, or what follows has ended the stream on purpose meanwhile. Pages that the failed attempt
// has read and that are not settled then stay so, and the run does not fail for that.
func (a *Attempt) Abandon() {
	readings, _ := a.all()
	a.st.run.budget.GiveUp(readings)
}

func (a *Attempt) giveUp() {
	readings, sources := a.all()
	a.st.run.budget.GiveUp(readings)
	if j := a.st.run.job; j != nil {
		j.again(sources)
	}
	if w := a.within; w != nil { // or a stream that is read again for years would keep all of them
		w.mu.Lock()
		defer w.mu.Unlock()
		w.parts = slices.DeleteFunc(w.parts, func(part *Attempt) bool { return part == a })
	}
}

// all returns the readings of the attempt and of its parts, and whose they are.
func (a *Attempt) all() (readings []*flow.Origin, sources []*Stage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	readings, sources = slices.Clone(a.readings), slices.Clone(a.sources)
	for _, part := range a.parts {
		moreReadings, moreSources := part.all()
		readings, sources = append(readings, moreReadings...), append(sources, moreSources...)
	}
	return readings, sources
}

// attempting is the observer of an attempt.
type attempting[T any] struct {
	out     flow.Observer[T]
	refused bool // by what follows
	stopped bool
	heard   heardSources
}

func (o *attempting[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	o.refused = true // stays if Next does not return
	o.heard.hear(p.Position)
	err := o.out.Next(ctx, p)
	o.refused = err != nil
	return err
}

func (o *attempting[T]) Done(_ context.Context, stopped bool) error {
	o.stopped = stopped
	return nil
}

func (o *attempting[T]) Demand() int64 { return flow.DemandOf(o.out) }
