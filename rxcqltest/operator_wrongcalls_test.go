package rxcqltest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

func wrongCalls() []operatorPlant {
	return []operatorPlant{
		{"Next and Done are called one at a time", "it calls Next while it waits for Next", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				done := make(chan struct{})
				var err error
				go func() {
					defer close(done)
					err = giveRows(ctx, o, k)
				}()
				select {
				case <-done:
				case <-time.After(time.Millisecond / 2):
					_ = tell(ctx, o, flow.Advance{})
					<-done
				}
				return err
			}
		})},
		{"Done is called once, and nothing after it", "it is called twice", wrongly(func(l *laggard) {
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				return errors.Join(finish(ctx, o, stopped), o.out.Done(ctx, stopped))
			}
		})},
		{"Done is called once, and nothing after it", "a page comes after it", wrongly(func(l *laggard) {
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				return errors.Join(finish(ctx, o, stopped), tell(ctx, o, flow.Advance{}))
			}
		})},
		{"An error of Next ends the stream, and nothing is called after it", "it tells of a page that was refused", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				err := giveRows(ctx, o, k)
				if err != nil && !flow.IsEnd(err) {
					_ = tell(ctx, o, k.said)
				}
				return err
			}
		})},
		{"An error of Done ends the run", "it is lost", wrongly(func(l *laggard) {
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				err := o.handOn(ctx, 0)
				if err == nil {
					_ = o.out.Done(ctx, stopped)
				}
				return err
			}
		})},
		{"When what follows ends the stream, that is no error, and all is settled", "it takes the end for a failure", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				err := giveRows(ctx, o, k)
				if flow.IsEnd(err) {
					return errDown
				}
				return err
			}
		})},
		{"When what follows ends the stream, that is no error, and all is settled", "it goes on", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				err := giveRows(ctx, o, k)
				if flow.IsEnd(err) {
					return nil
				}
				return err
			}
		})},
		{"After a panic of what follows everything is given back", "it takes the panic for its own error", wrongly(func(l *laggard) {
			l.ended = func(_ context.Context, _ *lagging, err error) error {
				if errors.Is(err, rxcql.ErrPanic) {
					return errDown
				}
				return err
			}
		})},
	}
}

func wrongOperatorEnds() []operatorPlant {
	return []operatorPlant{
		{"A cancel ends it", "it keeps the bytes of a page during which the run is cancelled", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				alive := ctx.Err() == nil
				more := o.account.Reservation()
				more.Take(k.reservation, 1)
				err := giveRows(ctx, o, k)
				if alive && ctx.Err() != nil {
					return err
				}
				more.Finish(err)
				return err
			}
		})},
		{"A cancel ends it", "it waits for ever", laggardPlace(func(t testing.TB, l *laggard) {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			var pages atomic.Int64
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				alive := ctx.Err() == nil
				page := pages.Add(1)
				err := giveRows(ctx, o, k)
				if alive && ctx.Err() != nil && page == 2 {
					<-over
				}
				return err
			}
		})},
		{"Stop ends it in order", "it does not call Done", wrongly(func(l *laggard) {
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				if stopped {
					return o.handOn(ctx, 0)
				}
				return finish(ctx, o, stopped)
			}
		})},
		{"It leaves no goroutine behind", "it leaves one", laggardPlace(func(t testing.TB, l *laggard) {
			over := make(chan struct{})
			var left sync.WaitGroup
			t.Cleanup(func() {
				close(over)
				left.Wait()
			})
			l.start = func(*lagging) { left.Go(func() { <-over }) }
		})},
	}
}
