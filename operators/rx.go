package operators

import (
	"context"
	"errors"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

var errNoObservable = errors.New("the function returned no Observable")

// Rx puts rxgo operators into a stream. fn is called once for each run, with the rows as an
// Observable, one item a row. It returns the Observable of the results, which must be of type B
// (another type is rxcql.ErrItemType).
//
//	distinct := operators.Rx[string, string](words, func(o rxgo.Observable) rxgo.Observable {
//		return o.Distinct(func(_ context.Context, item any) (any, error) { return item, nil })
//	})
//
// Order and concurrency are those of the rxgo operators, which run in goroutines of their own.
// Results go on in pages of up to 512, as many as are waiting. What rxgo operators hold is not
// charged to the budget, and a page counts as settled when its rows have been handed to rxgo. Rx is
// not resumable.
//
// An error item, from whichever operator, ends the stream with that error. An error of the stream
// before Rx, and the end of ctx, are not items: so no rxgo operator can swallow them, or take them
// for an ordinary end and hand on half a result. If the Observable closes early (Take), reading
// stops, and the report's EndedBy names the stage. Pipeline.Stop is an ordinary end for rxgo: an
// operator that folds hands on its fold of the rows so far.
//
// rxgo operators get the context of the run and end with it, even if fn passed rxgo.WithContext.
// Some do not obey any context:
//
//   - BufferWithTime, WindowWithTime and WindowWithCount may outlive the run until their input has
//     closed.
//   - Goroutines of Interval, of Sample, and of ZipFromIterable with an iterable that is longer,
//     stay for ever. So do two goroutines of GroupBy or GroupByDynamic, followed by FlatMap, when
//     the run is cancelled.
//   - What hangs in rxgo hangs here until ctx ends: Map with WithPool and Serialize, or GroupBy if
//     the groups are read one after the other.
//
// A panic in a function that rxgo calls ends the program, since it happens in a goroutine of rxgo.
func Rx[A, B any](in rxcql.Stream[A], fn func(rxgo.Observable) rxgo.Observable) rxcql.Stream[B] {
	info := rxcql.StageInfo{
		Name: "Rx", MixesRows: true, NotResumable: true, NotResumableReason: "no checkpoint has what rxgo operators hold; use operators of this module",
		Err:      required("the function", fn == nil),
		ReadOnce: true, ReadOnceReason: "some rxgo operators obey no context, and would go on next to their second reading; put Retry before Rx, " +
			"or use rxgo's own on what rxgo itself makes",
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[B]) error {
		inner, cancel := context.WithCancelCause(ctx)
		feed := newFeed(st, in)
		defer func() {
			cancel(nil)
			_, _ = feed.Wait() // whichever way this is left
		}()
		obs := fn(feed.Observable(inner))
		if obs == nil {
			return st.Fail(errNoObservable)
		}
		r := &reacting[A, B]{st: st, feed: feed, out: out, account: st.Account(true), origin: st.Origin()}
		r.origin.SetParts(flow.Parts{Count: 1})
		_, err := rx.Receiver[B]{
			Deliver: func(rows []B) error { return r.deliver(inner, rows, false) },
			Fail: func(err error, users bool) error {
				if users {
					return st.FailUserFunc(err, nil)
				}
				return st.Fail(err)
			},
			Most:  flow.DefaultPageRows,
			Leave: cancel,
		}.Receive(inner, obs, rxgo.WithContext(inner))
		if err != nil {
			_, failed := feed.Wait()
			return rxcql.FirstFailure(err, failed)
		}
		early := feed.Err() == nil && !feed.Whole()
		if early {
			err = st.End()
		}
		cancel(err)
		stopped, failed := feed.Wait()
		if failed != nil && !early {
			return failed
		}
		if !stopped {
			if err := r.deliver(ctx, nil, true); err != nil {
				return err
			}
		}
		if err := out.Done(ctx, stopped); err != nil {
			return err
		}
		return err
	}, in)
}

// reacting observes what comes out of rxgo. Its pages are one part of an origin of their own: only
// rxgo knows which rows an item is made of, and what rxgo still holds.
type reacting[A, B any] struct {
	st      *rxcql.Stage
	feed    *feed[A]
	out     flow.Observer[B]
	account *flow.Account // the reservations of the pages hold no bytes
	origin  *flow.Origin
	page    int64
}

// deliver hands rows on, but nothing once reading has failed: rxgo does not know of that, and may
// be ending what it has half done. The end of an operator (Take) is no failure.
func (r *reacting[A, B]) deliver(ctx context.Context, rows []B, last bool) error {
	p := &flow.Page[B]{Rows: rows, Reservation: r.account.Reservation()}
	p.Position = flow.Position{Source: r.origin, Range: 0, Page: r.page, Last: last}
	r.page++
	if !last {
		if err := r.feed.Err(); err != nil {
			p.Finish(err)
			return err
		}
	}
	return flow.Emit(ctx, r.account, p, nil, r.out)
}
