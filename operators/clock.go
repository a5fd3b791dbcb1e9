package operators

import (
	"context"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// clock is what an operator does by time: expire is called when the timer has run out, flush for
// each token in flushes.
type clock struct {
	timer   *time.Timer
	expire  func(ctx context.Context) error
	flushes <-chan struct{} // nil if nobody flushes
	flush   func(ctx context.Context) error
}

// clocked runs a stream into an observer in another goroutine, and a clock in a third. The observer
// and the functions of the clock are called in the goroutine that reads the stream. lost is that of
// across. The timer is stopped at the end: the runtime may hold one that is set until it runs out,
// though nobody waits for it.
func clocked[T any](ctx context.Context, st *rxcql.Stage, in rxcql.Stream[T], to flow.Observer[T], c clock, lost func(rows int)) error {
	defer c.timer.Stop()
	limit := limitFor(to)
	return border(ctx, func(ctx context.Context, post poster) error {
		group, ctx := st.TaskGroup(ctx)
		group.Go(func() error {
			for {
				var act func(ctx context.Context) error
				select {
				case <-ctx.Done():
					return nil
				case <-c.timer.C:
					act = c.expire
				case <-c.flushes:
					act = c.flush
				}
				if err := post(func() error { return act(ctx) }); err != nil {
					return err
				}
			}
		})
		var err error
		_ = ending(func() error {
			return in.Subscribe(ctx, st, &across[T]{to: to, post: post, lost: lost, limit: limit})
		}, func(read error) {
			group.Cancel(read)
			err = rxcql.FirstFailure(group.Wait(), read)
		})
		return err
	})
}

// newTimer returns a timer that has been stopped.
func newTimer() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}

// positive returns an error unless a duration is above 0.
func positive(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("the time is %v: must be above 0", d)
	}
	return nil
}
