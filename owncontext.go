package rxcql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// ownContext returns the context of a run. A function of another run may have begun it, with the
// context that it was given. Where the stream of that run ends on purpose its context ends by a
// flow.End. To this run that is a cancel like others: no stage of its own has ended the stream, so
// a page that is given up for it is not settled.
func ownContext(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	if outer, _ := ctx.Value(retryKey{}).(checking); outer.run == nil {
		return context.WithCancelCause(ctx)
	}
	own, cancel := context.WithCancelCause(deadlineOf{context.WithoutCancel(ctx), ctx})
	end := func() {
		cause := context.Cause(ctx)
		if flow.IsEnd(cause) {
			cause = fmt.Errorf("%w: %w", otherEnd(cause), context.Canceled)
		}
		cancel(cause)
	}
	if ctx.Err() != nil {
		end()
	}
	stop := context.AfterFunc(ctx, end)
	return own, func(err error) {
		stop()
		cancel(err)
	}
}

// otherEnd is the error of this run where another run's stream has ended on purpose. It has nothing
// of that End, which would be one here too.
func otherEnd(err error) error {
	return fmt.Errorf("the stream of the run in which this one was begun has ended on purpose (%v)", err) //nolint:errorlint // see above
}

// ownError returns err, of a function of the user's perhaps, unless it says that the stream of
// another run has ended.
func (r *Execution) ownError(err error) error {
	var end *flow.End
	if !errors.As(err, &end) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range r.order {
		if st.end.Load() == end {
			return err
		}
	}
	return otherEnd(err)
}

// deadlineOf is a context with the deadline of another one, which does not end it.
type deadlineOf struct {
	context.Context
	other context.Context //nolint:containedctx // for its deadline
}

func (d deadlineOf) Deadline() (time.Time, bool) { return d.other.Deadline() }
