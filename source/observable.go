package source

import (
	"context"
	"errors"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/rx"
)

// FromObservable reads rows from an rxgo Observable. A page has the rows that are waiting, up to
// 512. An item that is not of type T is an error (rxcql.ErrItemType); an error item ends the stream
// with that error. Whether the stream can run more than once depends on the Observable.
//
// When the stream is ended from downstream or ctx ends, a goroutine goes on to read and drop items
// until the Observable closes, so that its senders can end. Nothing waits for that goroutine, and a
// test that looks for goroutines (goleak) may see it. What rxgo runs behind the Observable obeys
// the context that the Observable was given, not this one: cancel that, or it goes on.
//
// The rows count nothing in the budget until an operator keeps them, except those that wait in a
// Buffer. Without that an item is taken only when it is wanted, so a slow downstream holds rxgo up.
func FromObservable[T any](obs rxgo.Observable, opts ...ObservableOption) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "FromObservable", Source: true, MixesRows: true, NotResumable: true, NotResumableReason: comesOnce}
	info.ReadOnce, info.ReadOnceReason = true, pushedOnce
	var cfg memoryConfig
	info.Err = option.Apply(opts, &cfg, ObservableOption.applyObservable)
	if obs == nil {
		info.Err = errors.Join(info.Err, errors.New("the Observable is nil"))
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		st.Input().Unmetered()
		defer st.Input().Done()
		st.Parts(ctx, flow.Parts{Count: 1})
		account := st.Account(true) // the reservations of the pages hold no bytes
		var page int64
		deliver := func(rows []T, last bool) error {
			st.CountPage(len(rows), 0)
			p := &flow.Page[T]{Rows: rows, Reservation: account.Reservation()}
			p.Position = flow.Position{Range: 0, Page: page, Last: last}
			page++
			p.AddReceipt(st.Receipt())
			err := out.Next(ctx, p)
			p.Finish(err)
			return err
		}
		receive := func(ctx context.Context, take func(rows []T) error) (stopped bool, err error) {
			return rx.Receiver[T]{
				Deliver: take,
				Fail: func(err error, users bool) error {
					if users {
						return st.FailUserFunc(err, nil)
					}
					return st.Fail(err)
				},
				Most:     flow.DefaultPageRows,
				Stopping: st.Run().Stopping(),
			}.Receive(ctx, obs)
		}
		handOn := func(rows []T) error { return deliver(rows, false) }
		var stopped bool
		var err error
		if cfg.buffer == nil {
			stopped, err = receive(ctx, handOn)
		} else {
			h := newHot[T](st, cfg.buffer)
			err = h.run(ctx, flow.DefaultPageRows, func(ctx context.Context) (err error) {
				stopped, err = receive(ctx, func(rows []T) error { return h.put(ctx, rows) })
				return err
			}, func(context.Context) error { return nil }, handOn)
		}
		if err != nil {
			return err
		}
		if !stopped {
			if err := deliver(nil, true); err != nil {
				return err
			}
		}
		return out.Done(ctx, stopped)
	})
}
