package operators

import (
	"context"
	"errors"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// Conflate folds the rows that come while downstream is at work into one, and hands that on as soon
// as downstream is ready: so upstream never waits, and no row is lost. seed makes a state to begin
// with, each time that one has gone on; fold adds a row to it.
//
//	latest := operators.Conflate(prices, // the last price of each symbol, as fast as they are taken
//		func() map[string]Price { return map[string]Price{} },
//		func(m map[string]Price, p Price) (map[string]Price, error) { m[p.Symbol] = p; return m, nil })
//
// Rows are folded in order, in the goroutine of the stream before it. Rows of one page are folded
// together, even if downstream waits. What is left goes on when the stream ends, also when it is
// stopped early.
//
// It holds one state, which is not charged to the budget, and the receipts of the pages in it
// (about 50 bytes each). A page is settled when the states with its rows are. It is not resumable,
// since which rows are folded together depends on the moment. An error of fold ends the stream,
// whatever rxcql.WithRowErrors says: without the row the state would be wrong.
func Conflate[T, S any](in rxcql.Stream[T], seed func() S, fold func(state S, row T) (S, error)) rxcql.Stream[S] {
	info := rxcql.StageInfo{
		Name: "Conflate", MixesRows: true, NotResumable: true,
		NotResumableReason: "which rows it folds together depends on the moment, and a run that goes on would fold others; " +
			"fold the rows of each partition by GroupAdjacent, or write all rows to a table",
		Err: errors.Join(required("the seed function", seed == nil), required("the fold", fold == nil)),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[S]) error {
		c := &conflating[T, S]{st: st, seed: seed, fold: fold, account: st.Account(true)}
		err := ending(func() error {
			var failed error
			err := rx.Transport(ctx, 1, func(ctx context.Context, send func(struct{}) error) error {
				c.tell = func() error { return send(struct{}{}) }
				failed = in.Subscribe(ctx, st, c)
				c.over(failed)
				return failed
			}, func(struct{}) error { return c.deliver(ctx, out) }, nil)
			return rxcql.FirstFailure(err, failed)
		}, c.end)
		if err != nil {
			return err
		}
		return out.Done(ctx, c.stopped)
	}, in)
}

// conflating is one run of Conflate, and the observer of the stream before it.
type conflating[T, S any] struct {
	st      *rxcql.Stage
	account *flow.Account
	seed    func() S
	fold    func(S, T) (S, error)
	tell    func() error // has the reader look for a state

	mu         sync.Mutex
	waits      *conflated[S] // nil if nothing does, or while rows are folded into it
	delivering bool          // the reader has been told, and delivers until nothing waits
	failed     bool          // upstream has: nothing more is to be delivered
	stopped    bool
}

// conflated is a state, and what the rows in it came with.
type conflated[S any] struct {
	state       S
	rows        int
	reservation *flow.Reservation // receipts, no bytes
	behind      flow.Advances
}

func (c *conflating[T, S]) Next(_ context.Context, p *flow.Page[T]) error {
	if len(p.Rows) == 0 && !p.Says() {
		return nil
	}
	announce, err := c.add(c.take(), p)
	if announce {
		return c.tell()
	}
	return err
}

// take takes the state that waits, or makes one, to fold rows into it. Meanwhile nothing waits.
func (c *conflating[T, S]) take() *conflated[S] {
	c.mu.Lock()
	defer c.mu.Unlock()
	into := c.waits
	if into == nil {
		into = &conflated[S]{reservation: c.account.Reservation()}
		into.reservation.Emit() // it will be handed on without another page, though it has no bytes
	}
	c.waits = nil
	return into
}

// add folds the rows of a page into a state, which then waits. It reports whether the reader must
// be told of it. fold is called without the lock, so it may take its time.
func (c *conflating[T, S]) add(into *conflated[S], p *flow.Page[T]) (announce bool, err error) {
	failed := true // stays if fold panics
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waits, c.failed = into, failed // after a failure only end gets it
		announce = !failed && !c.delivering
		c.delivering = c.delivering || announce
	}()
	into.behind.Add(p.Advance())
	if len(p.Rows) > 0 {
		if into.rows == 0 {
			into.state = c.seed()
		}
		into.reservation.Take(p.Reservation, 0)
		into.rows += len(p.Rows)
		if into.state, err = c.foldAll(into.state, p.Rows); err != nil {
			return false, err
		}
	}
	failed = false
	return announce, nil
}

func (c *conflating[T, S]) foldAll(state S, rows []T) (S, error) {
	fold := c.fold
	for i := range rows {
		next, err := fold(state, rows[i])
		if err != nil {
			return state, c.st.FailUserFunc(err, rows[i])
		}
		state = next
	}
	return state, nil
}

func (c *conflating[T, S]) Done(_ context.Context, stopped bool) error {
	c.stopped = stopped
	return nil
}

// over notes how upstream has ended.
func (c *conflating[T, S]) over(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err != nil
}

// deliver hands on what waits until nothing does, in the goroutine that reads the stream.
func (c *conflating[T, S]) deliver(ctx context.Context, out flow.Observer[S]) error {
	for ready := c.next(); ready != nil; ready = c.next() {
		if err := c.handOn(ctx, ready, out); err != nil {
			return err
		}
	}
	return nil
}

// handOn hands on a state, and what was said behind its rows.
func (c *conflating[T, S]) handOn(ctx context.Context, ready *conflated[S], out flow.Observer[S]) error {
	if ready.rows > 0 {
		return flow.Emit(ctx, c.account, &flow.Page[S]{Rows: []S{ready.state}, Reservation: ready.reservation}, &ready.behind, out)
	}
	ended := errGone // stays if downstream does not return
	defer func() { ready.reservation.Finish(ended) }()
	ended = flow.Tell(ctx, c.account, &ready.behind, out)
	return ended
}

// next takes what is to be handed on now. If that is nothing, the reader must be told of what
// comes.
func (c *conflating[T, S]) next() *conflated[S] {
	c.mu.Lock()
	defer c.mu.Unlock()
	ready := c.waits
	if c.failed {
		ready = nil
	}
	if ready == nil {
		c.delivering = false
		return nil
	}
	c.waits = nil
	return ready
}

// end gives up what waits. Nothing else is at work by then.
func (c *conflating[T, S]) end(err error) {
	if c.waits == nil {
		return
	}
	c.waits.reservation.Finish(err)
	if err == nil || flow.IsEnd(err) { // otherwise they are not dropped on purpose
		c.st.CountDropped(c.waits.rows)
	}
}
