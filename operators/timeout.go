package operators

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// ErrTimeout is the kind of error of a Timeout to which no row has come in time.
var ErrTimeout = errors.New("rxcql: no row has come in time")

// Timeout ends the stream with ErrTimeout where no row comes from upstream within d: since the
// stream was begun, or since what follows was done with the page before. Pages without rows do
// not count as rows, and neither does the end of a part; the end of the stream ends the wait.
//
// Only time in which upstream could bring a row counts. So these do not count: time in which
// downstream is at work on a page, in which a source waits for room in the budget
// (rxcql.WithBudget) or for pages to be settled, and in which a save of a job has paused reading,
// or waits to do so.
// What stands upstream counts, whatever holds it up: a Throttle, retries.
//
// Order is kept. Rows go on a page at a time, as they come; it holds nothing. The stream before
// it runs in a goroutine of its own, and another has the clock. A source that does not obey its
// context while it waits (an iterator of Seq) cannot be ended, and the run waits for it. It is
// resumable.
func Timeout[T any](in rxcql.Stream[T], d time.Duration) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Timeout", OneToOne: true, Err: positive(d)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		t := &timing[T]{st: st, out: out, most: d, timer: newTimer()}
		t.arm(d)
		return clocked(ctx, st, in, flow.Observer[T](t), clock{timer: t.timer, expire: t.expire}, st.CountDropped)
	}, in)
}

// timing is one run of Timeout. One goroutine at a time uses it.
type timing[T any] struct {
	st    *rxcql.Stage
	out   flow.Observer[T]
	most  time.Duration
	timer *time.Timer
	due   time.Time
	done  bool
}

func (t *timing[T]) arm(d time.Duration) {
	t.due = time.Now().Add(d)
	t.timer.Reset(d)
}

func (t *timing[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	left := time.Until(t.due)
	if len(p.Rows) > 0 {
		left = t.most
	}
	t.timer.Stop()
	err := t.out.Next(ctx, p)
	t.arm(left)
	return err
}

// expire is called when the timer has run out. A row may have come meanwhile.
func (t *timing[T]) expire(context.Context) error {
	now := time.Now()
	if t.done || now.Before(t.due) {
		return nil
	}
	if since := now.Sub(t.st.Run().HeldUpUntil()); since < t.most {
		t.arm(t.most - since)
		return nil
	}
	return t.st.Fail(fmt.Errorf("%w: none for %v", ErrTimeout, t.most))
}

func (t *timing[T]) Done(ctx context.Context, stopped bool) error {
	t.done = true
	t.timer.Stop()
	return t.out.Done(ctx, stopped)
}

func (t *timing[T]) Demand() int64 { return flow.DemandOf(t.out) }
