package rxcqltest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

type operatorPlant = plant[rxcqltest.OperatorPlace[[]int, []int]]

// wrongly makes a place of operators that are wrong.
func wrongly(change func(l *laggard)) func(testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
	return laggardPlace(func(_ testing.TB, l *laggard) { change(l) })
}

func hasJob(o *lagging) bool { return o.st.Run().HasCheckpoint() }

func TestTheSuiteFindsWhatIsWrongWithAnOperator(t *testing.T) {
	findsInBubble(t, rxcqltest.OperatorRules[[]int, []int](), slices.Concat(wrongRows(), wrongCalls(), wrongOperatorEnds(), wrongParts(), wrongReceipts()))
}

func wrongRows() []operatorPlant {
	const comes = "Each row comes out as often as it is to, in the order of its part"
	return []operatorPlant{
		{comes, "it turns the rows of a page around", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { slices.Reverse(k.rows) }
		})},
		{comes, "it gives the only row of a page twice", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if len(k.rows) == 1 {
					k.rows = append(k.rows, k.rows[0])
				}
			}
		})},
		{"A stream is a description, and may be run again", "it remembers that it was run", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if l.runs > 1 {
					k.rows = nil
				}
			}
		})},
		{"Rows that come in are left as they are", "it works in place", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, _ *kept, p *flow.Page[[]int]) { clear(p.Rows) }
		})},
		{"Rows that are needed after Next are copied", "it keeps the page's rows", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, p *flow.Page[[]int]) { k.rows = p.Rows }
		})},
		{"A row that has come out does not change any more", "it uses the memory of a row again", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				err := giveRows(ctx, o, k)
				for _, row := range k.rows {
					clear(row)
				}
				return err
			}
		})},
		{"With the least budget and a consumer that is slow the stream comes to its end", "it keeps all pages to the end", wrongly(func(l *laggard) {
			l.depth = 1000
		})},
	}
}

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
				if err != nil {
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
			pages := 0
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				alive := ctx.Err() == nil
				pages++
				err := giveRows(ctx, o, k)
				if alive && ctx.Err() != nil && pages == 2 {
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

func wrongParts() []operatorPlant {
	const handedOn = "The end of each part and its watermark are handed on, with pages without rows too"
	return []operatorPlant{
		{"A page is of the source and of the part that its rows are of, or says that they are mixed", "it does not say of which source", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if k.said.Page == 0 {
					k.said.Source = nil
				}
			}
		})},
		{"A page is of the source and of the part that its rows are of, or says that they are mixed", "it says that they are mixed, and has a watermark", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if k.said.Page == 0 {
					k.said.Range = -1
				}
			}
		})},
		{"Neither the end of a part nor a watermark overtakes a row", "it tells before it hands the rows on", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				if err := tell(ctx, o, k.said); err != nil {
					k.reservation.Finish(err)
					return err
				}
				return giveRows(ctx, o, k)
			}
		})},
		{handedOn, "pages without rows go no further", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				if len(k.rows) == 0 {
					k.reservation.Settle()
					return nil
				}
				return giveRows(ctx, o, k)
			}
		})},
		{handedOn, "watermarks go no further", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { k.said.Watermark = flow.Watermark{} }
		})},
	}
}

func wrongReceipts() []operatorPlant {
	const fails = "An error of the stream ends it, and Done is not called"
	const stops = "After Stop no row is settled that has not come out, and Done says so"
	return []operatorPlant{
		{"A page is settled when all that was made of it is, and not before", "it hands rows on that owe nothing", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				r := o.account.Reservation()
				r.Say(k.said)
				err := o.out.Next(ctx, &flow.Page[[]int]{Rows: k.rows, Reservation: r})
				r.Finish(err)
				k.reservation.Finish(err)
				return err
			}
		})},
		{fails, "it calls Done all the same", wrongly(func(l *laggard) {
			l.ended = func(ctx context.Context, o *lagging, err error) error {
				if err != nil && !o.refused && ctx.Err() == nil {
					_ = o.out.Done(ctx, false)
				}
				return err
			}
		})},
		{fails, "it takes the error for the end", wrongly(func(l *laggard) {
			told := false
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				told = true
				return finish(ctx, o, stopped)
			}
			l.ended = func(ctx context.Context, o *lagging, err error) error {
				if err != nil && !o.refused && !told && ctx.Err() == nil {
					return o.out.Done(ctx, false)
				}
				return err
			}
		})},
		{"After an error or a cancel everything is given back, and no row is settled that has not come out", "it settles what it keeps", wrongly(func(l *laggard) {
			l.drop = func(o *lagging, k *kept) {
				if hasJob(o) {
					k.reservation.Release()
					return
				}
				k.reservation.Settle()
			}
		})},
		{stops, "it settles what it keeps", wrongly(func(l *laggard) {
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				if stopped && !hasJob(o) {
					for _, k := range o.queue {
						k.reservation.Settle()
					}
					o.queue = nil
				}
				return finish(ctx, o, stopped)
			}
		})},
		{stops, "it says that all has come", wrongly(func(l *laggard) {
			l.done = func(ctx context.Context, o *lagging, _ bool) error { return finish(ctx, o, false) }
		})},
		{"A job that is broken off again and again settles no row that has not come out", "it settles what it keeps at once", wrongly(func(l *laggard) {
			l.keep = func(o *lagging, k *kept, _ *flow.Page[[]int]) {
				if hasJob(o) {
					k.reservation.Settle()
					k.reservation = o.account.Reservation()
				}
			}
		})},
	}
}
