package rxcqltest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

func wrongReaderCalls() []sourcePlant {
	return []sourcePlant{
		{"Next and Done are called one at a time", "it calls Next while it waits for Next", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				done := make(chan struct{})
				var err error
				go func() {
					defer close(done)
					err = handOn(ctx, r, p)
				}()
				select {
				case <-done:
				case <-time.After(time.Millisecond / 2):
					_ = emptyPage(ctx, r)
					<-done
				}
				return err
			}
		})},
		{"Done is called once, and nothing after it", "it is called twice", misread(func(b *book) {
			b.done = func(ctx context.Context, r *reading, stopped bool) error {
				return errors.Join(r.out.Done(ctx, stopped), r.out.Done(ctx, stopped))
			}
		})},
		{"An error of Next ends the stream, and nothing is called after it", "it goes on with the next page", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				err := handOn(ctx, r, p)
				if err != nil && !flow.IsEnd(err) {
					_ = emptyPage(ctx, r)
				}
				return err
			}
		})},
		{"An error of Done ends the run", "it is lost", misread(func(b *book) {
			b.done = func(ctx context.Context, r *reading, stopped bool) error {
				_ = r.out.Done(ctx, stopped)
				return nil
			}
		})},
		{"When what follows ends the stream, that is no error, and all is settled", "it takes the end for a failure", misread(func(b *book) {
			b.ended = func(err error) error {
				if flow.IsEnd(err) {
					return errDown
				}
				return err
			}
		})},
		{"When what follows ends the stream, that is no error, and all is settled", "it leaves the page open", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				r.st.CountPage(len(p.Rows), 100)
				p.AddReceipt(r.st.Receipt())
				err := r.out.Next(ctx, p)
				if err != nil {
					p.Release()
					return err
				}
				p.Settle()
				return nil
			}
		})},
		{"A cancel ends it", "it keeps the bytes of a page during which the run is cancelled", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				alive := ctx.Err() == nil
				r.st.CountPage(len(p.Rows), 100)
				p.AddReceipt(r.st.Receipt())
				err := r.out.Next(ctx, p)
				if !alive || ctx.Err() == nil {
					p.Finish(err)
				}
				return err
			}
		})},
		{"Stop ends it in order", "it does not call Done", misread(func(b *book) {
			b.done = func(ctx context.Context, r *reading, stopped bool) error {
				if stopped {
					return nil
				}
				return r.out.Done(ctx, stopped)
			}
		})},
		{"After a panic of what follows everything is given back", "it takes the panic for its own error", misread(func(b *book) {
			b.ended = func(err error) error {
				if errors.Is(err, rxcql.ErrPanic) {
					return errDown
				}
				return err
			}
		})},
		{"It leaves no goroutine behind", "it leaves one", bookPlace(func(t testing.TB, b *book) {
			over := make(chan struct{})
			var left sync.WaitGroup
			t.Cleanup(func() {
				close(over)
				left.Wait()
			})
			b.start = func(*reading) error {
				left.Go(func() { <-over })
				return nil
			}
		})},
	}
}

func wrongWaits() []sourcePlant {
	return []sourcePlant{
		{"An error of the source ends the run, and Done is not called", "it calls Done all the same", misread(func(b *book) {
			b.failing = func(ctx context.Context, r *reading, _ error) { _ = r.out.Done(ctx, false) }
		})},
		{"An error of the source ends the run, and Done is not called", "it does not say which stage has failed", misread(func(b *book) {
			b.ended = func(err error) error {
				var stage *rxcql.StageError
				if errors.Is(err, errLost) && errors.As(err, &stage) {
					return stage.Err
				}
				return err
			}
		})},
		{"A source that waits for rows is ended by a cancel", "it obeys Stop alone", bookPlace(func(t testing.TB, b *book) {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			b.stall = func(ctx context.Context, r *reading) error {
				select {
				case <-over:
					return context.Cause(ctx)
				case <-r.st.Run().Stopping():
					return errClosed
				}
			}
		})},
		{"A source that waits for rows is ended by Stop", "it obeys the context alone", bookPlace(func(t testing.TB, b *book) {
			over := make(chan struct{})
			t.Cleanup(func() { close(over) })
			b.stall = func(ctx context.Context, _ *reading) error {
				select {
				case <-over:
					return errClosed
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		})},
		{"A source that waits for rows is ended by Stop", "it says that all has come", misread(func(b *book) {
			b.stall = func(ctx context.Context, r *reading) error {
				err := wait(ctx, r)
				if errors.Is(err, errClosed) {
					return nil
				}
				return err
			}
		})},
	}
}
