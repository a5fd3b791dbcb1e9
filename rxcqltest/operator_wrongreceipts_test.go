package rxcqltest_test

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

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
			l.done = func(ctx context.Context, o *lagging, stopped bool) error {
				o.told = true
				return finish(ctx, o, stopped)
			}
			l.ended = func(ctx context.Context, o *lagging, err error) error {
				if err != nil && !o.refused && !o.told && ctx.Err() == nil {
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
