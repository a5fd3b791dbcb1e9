package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// Through puts operators before a sink, so that the branches of a Tee can get different rows:
//
//	sink.Tee(all, sink.Through(func(in rxcql.Stream[Order]) rxcql.Stream[Order] {
//		return operators.Filter(in, Order.Large)
//	}, large))
//
// fn is called once, when the sink is made. It must build on the stream that it is given, use it
// once, and add no other source: merge streams before the sink.
//
// In a Tee of which several sinks write one table, only operators that hand every row on as it
// comes may stand before that table: see Tee.
//
// Synchronous operators run in the goroutine that writes, others in their own. Order, memory and
// errors are those of the operators and of the sink. A page is settled when everything made from it
// is settled.
//
// In the report, the stage Through has as rows in what came in, and as rows out what its operators
// were given. The operators' own stages begin with one named "Through in".
//
// An operator that ends its stream on purpose (Take) ends this branch alone. Later rows are dropped
// here, counted as filtered, and settled, while the source is read on for other branches. The
// report's EndedBy names the operator, and the run is not Complete. To stop the reading, put the
// operator before the sink instead.
func Through[A, B any](fn func(rxcql.Stream[A]) rxcql.Stream[B], to rxcql.Sink[B]) rxcql.Sink[A] {
	t := &through[A, B]{to: to}
	var errs []error
	if to == nil {
		errs = append(errs, errors.New("the sink is nil"))
	}
	if fn == nil {
		errs = append(errs, errors.New("the function is nil"))
	} else {
		info := rxcql.StageInfo{
			Name: "Through in", Synchronous: true,
			ReadOnce: true, ReadOnceReason: "its rows come from the stream before the sink; put Retry there",
		}
		in := rxcql.NewStream(info, subscribeFeed[A])
		t.stream = fn(in)
		errs = append(errs, wrongInside(in, t.stream)...)
	}
	t.err = stageError("sink.Through", errs...)
	return t
}

type through[A, B any] struct {
	stream rxcql.Stream[B]
	to     rxcql.Sink[B]
	err    error
}

// wrongInside returns what is wrong with a stream made from in.
func wrongInside[A, B any](in rxcql.Stream[A], made rxcql.Stream[B]) []error {
	errs := []error{made.MadeFrom(in)}
	for _, info := range made.Stages() {
		if info.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", info.Name, info.Err))
		}
	}
	return errs
}

// Info is that of the sink inside, as far as the operators allow it.
func (t *through[A, B]) Info() rxcql.SinkInfo {
	info := rxcql.SinkInfo{Err: t.err, Resumable: true, Stream: t.stream}
	if t.to == nil {
		return info // reported as an error by Through
	}
	info.Sinks = []rxcql.AnySink{t.to}
	if stages := t.to.Info().Stages; stages != nil {
		info.Stages = append(slices.Clone(stages), "Through")
	}
	return info
}

func (t *through[A, B]) Check(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	return behind(ctx, t.late(), func() error { return t.to.Check(ctx) })
}

func (t *through[A, B]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[A], error) {
	if t.err != nil {
		return nil, t.err
	}
	var to rxcql.Writer[B]
	err := behind(ctx, t.late(), func() (err error) {
		to, err = t.to.Open(ctx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	st := r.SinkStage("Through")
	if to == nil {
		return nil, st.Fail(errors.New("the sink's Open returned no Writer and no error"))
	}
	w := &throughWriter[A, B]{st: st, to: to, feed: newFeed[A](), failed: newFailure(r), over: make(chan struct{})}
	w.group, ctx = st.TaskGroup(ctx)
	w.untie = w.tie(r.Context()) //nolint:contextcheck // for when nothing is being written: that of Open outlives the run's
	ctx = context.WithValue(ctx, feedKey{}, w.feed)
	w.group.Go(func() error {
		err, returned := error(nil), false
		defer func() {
			if !returned { // runtime.Goexit, as of a test's FailNow
				err = w.st.Fail(rx.ErrExited)
			}
			w.ended(err)
		}()
		err = w.st.Protect(func() error { return t.stream.Subscribe(ctx, st, into[B]{to}) })
		returned = true
		return nil
	})
	return w, nil
}

// late names the operators that may hand rows on later than they come, or in another order.
func (t *through[A, B]) late() (names []string) {
	for _, info := range t.stream.Stages() {
		if info.OutOfStep() {
			names = append(names, info.Name)
		}
	}
	return names
}

// into is the end of the operators: it passes pages to the writer.
type into[B any] struct{ to rxcql.Writer[B] }

func (o into[B]) Next(ctx context.Context, p *flow.Page[B]) error { return o.to.Write(ctx, p) }

func (o into[B]) Done(ctx context.Context, _ bool) error { return o.to.Flush(ctx) }

type throughWriter[A, B any] struct {
	st     *rxcql.Stage
	to     rxcql.Writer[B]
	feed   *feed[A]
	failed *failure
	group  *rxcql.TaskGroup
	untie  func() bool // from the run's context

	over chan struct{} // closed when the operators have ended
	err  error         // the error of the operators; set before over is closed
}

// ended notes how the operators have ended. Write and Flush wait for that.
func (w *throughWriter[A, B]) ended(err error) {
	if err != nil && !w.feed.isClosed() {
		w.failed.set(err)
	}
	w.err = err
	close(w.over)
}

func (w *throughWriter[A, B]) Write(ctx context.Context, p *flow.Page[A]) (err error) {
	untie := w.tie(ctx)
	defer func() {
		if !untie() && err == nil { // the operators end by that, though this page may be done
			<-w.over
			err = w.err
		}
	}()
	w.st.CountIn(len(p.Rows))
	ended, err := w.feed.next(p, w.over)
	if !ended {
		w.st.CountOut(len(p.Rows))
		if err == nil {
			return w.failed.get()
		}
	}
	<-w.over
	if ended && w.err == nil {
		w.st.CountDropped(len(p.Rows))
	}
	return w.err // nil if an operator ended its stream: then the page is done
}

// tie ends the operators when a context ends, until untie is called. The context of a call counts
// only during that call: it may belong to an operator before the sink, and end with it though the
// run goes well.
func (w *throughWriter[A, B]) tie(ctx context.Context) (untie func() bool) {
	if w.untie != nil && ctx.Done() == w.st.Run().Context().Done() { // Open has tied them to that context already
		return tiedAlready
	}
	return context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		var end *flow.End
		if errors.As(cause, &end) { // for an operator in the sink its pages would be done then
			cause = &cutShortError{end.Stage}
		}
		w.group.Cancel(cause)
	})
}

// cutShortError: a stage before the sink may end its stream when Write has returned.
type cutShortError struct{ stage string }

func (e *cutShortError) Error() string {
	return fmt.Sprintf("stage %s has ended its stream by the context of a page that was being written; end the stream when Next has returned", e.stage)
}

func tiedAlready() bool { return true }

// Flush ends the operators' stream, so nothing can be written after it.
func (w *throughWriter[A, B]) Flush(ctx context.Context) error {
	defer w.tie(ctx)()
	stopped := false
	select {
	case <-w.st.Run().Stopping():
		stopped = true
	default:
	}
	w.feed.finish(stopped, w.over)
	<-w.over
	return w.err
}

func (w *throughWriter[A, B]) Close() error {
	w.feed.close()
	w.group.Cancel(errClosed)
	w.untie()
	return errors.Join(w.group.Wait(), w.to.Close())
}
