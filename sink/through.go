package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
)

// Through puts operators before a sink, so that the branches of a Tee can get
// different things:
//
//	sink.Tee(all, sink.Through(func(in rxcql.Stream[Order]) rxcql.Stream[Order] {
//		return operators.Filter(in, Order.Large)
//	}, large))
//
// Fn is called once, when the sink is made. It must build on the stream that it
// is given, use it once, and bring in no other source: to merge streams is for
// before the sink.
//
// In a Tee of which several sinks write one table only operators that hand every row
// on as it comes may stand before that table: see Tee.
//
// Rows are pushed: synchronous operators run in the goroutine that writes,
// others in their own. Order, what is held and what fails are theirs. A page is
// settled when everything made from it is.
//
// In the report, Through has the rows that came in, and out those that its
// operators were given; their own stages begin with one named "Through in".
//
// An operator that ends its stream on purpose (Take) ends this branch alone: the
// rows that come later are dropped here, counted as filtered, and settled,
// while the source is read on for other branches. The report says so: EndedBy
// names the operator, and the run is not Complete. To stop the reading, put the
// operator before the sink, not into it.
func Through[A, B any](fn func(rxcql.Stream[A]) rxcql.Stream[B], to rxcql.Sink[B]) rxcql.Sink[A] {
	t := &through[A, B]{to: to}
	var errs []error
	if to == nil {
		errs = append(errs, errors.New("the sink is nil"))
	} else if c, ok := to.(rxcql.Configured); ok {
		errs = append(errs, c.ConfigError())
	}
	if fn == nil {
		errs = append(errs, errors.New("the function is nil"))
	} else {
		info := rxcql.StageInfo{Name: "Through in", Synchronous: true}
		in := rxcql.NewStream(info, subscribeFeed[A])
		t.stream = fn(in)
		errs = append(errs, t.stream.ConfigError())
		if !t.stream.Uses(in) {
			errs = append(errs, errors.New("the function does not use the stream it is given: every row would be lost"))
		}
		for _, name := range t.stream.Sources() {
			errs = append(errs, fmt.Errorf("the function brings in another source: %s; merge streams before the sink", name))
		}
	}
	t.err = stageError("sink.Through", errs...)
	return t
}

type through[A, B any] struct {
	stream rxcql.Stream[B]
	to     rxcql.Sink[B]
	err    error
}

// ConfigError reports what is wrong with the arguments; see rxcql.Configured.
func (t *through[A, B]) ConfigError() error { return t.err }

// NeedsAdjacent: as the operators do, and the sink behind them; see rxcql.Adjacent.
func (t *through[A, B]) NeedsAdjacent() []string {
	return append(t.stream.NeedsAdjacent(), needsAdjacent(t.to)...)
}

func needsAdjacent[T any](sink rxcql.Sink[T]) []string {
	if a, ok := sink.(rxcql.Adjacent); ok {
		return a.NeedsAdjacent()
	}
	return nil
}

// Resume: as the sink behind the operators, and as they let it; see rxcql.Resumer.
func (t *through[A, B]) Resume() rxcql.ResumeInfo { return t.ResumeBeside(false) }

// ResumeBeside: likewise, beside a sink that needs a barrier; see
// rxcql.ResumeInfoBeside.
func (t *through[A, B]) ResumeBeside(barrier bool) rxcql.ResumeInfo {
	info := rxcql.ResumeInfoBeside(t.to, barrier)
	info.Barrier = info.Barrier || barrier
	if info.Stages != nil {
		info.Stages = append(slices.Clone(info.Stages), "Through")
	}
	info.Err = errors.Join(info.Err, rxcql.FoldsTwice(t.stream, t.to))
	return t.stream.Resume(info)
}

func (t *through[A, B]) Check(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	err := t.stream.Check(ctx)
	return errors.Join(err, behind(ctx, t.stream.OutOfStep(), func() error { return t.to.Check(ctx) }))
}

func (t *through[A, B]) Open(ctx context.Context, r *rxcql.Run) (rxcql.Writer[A], error) {
	if t.err != nil {
		return nil, t.err
	}
	var to rxcql.Writer[B]
	err := behind(ctx, t.stream.OutOfStep(), func() (err error) {
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
	t.stream.Register(r)
	w.group, ctx = st.Group(ctx)
	w.untie = w.tie(r.Context()) //nolint:contextcheck // for when nothing is being written: that of Open outlives the run's
	ctx = context.WithValue(ctx, feedKey{}, w.feed)
	w.group.Go(func() error {
		err := w.st.Protect(func() error { return t.stream.Subscribe(ctx, st, into[B]{to}) })
		if err != nil && !w.feed.isClosed() {
			w.failed.set(err)
		}
		w.err = err
		close(w.over)
		return nil
	})
	return w, nil
}

// into is the end of the operators: pages go to the writer behind them.
type into[B any] struct{ to rxcql.Writer[B] }

func (o into[B]) Next(ctx context.Context, p *rxcql.Page[B]) error { return o.to.Write(ctx, p) }

func (o into[B]) Done(ctx context.Context, _ bool) error { return o.to.Flush(ctx) }

type throughWriter[A, B any] struct {
	st     *rxcql.Stage
	to     rxcql.Writer[B]
	feed   *feed[A]
	failed *failure
	group  *rxcql.Group
	untie  func() bool // from the run's context

	over chan struct{} // closed when the operators have ended
	err  error         // how; set before over is closed
}

func (w *throughWriter[A, B]) Write(ctx context.Context, p *rxcql.Page[A]) error {
	defer w.tie(ctx)()
	w.st.Took(len(p.Rows))
	ended, err := w.feed.next(p, w.over)
	if !ended {
		w.st.Passed(len(p.Rows))
		if err == nil {
			return w.failed.get()
		}
	}
	<-w.over
	if ended && w.err == nil {
		w.st.Drop(len(p.Rows))
	}
	return w.err // nil if an operator ended its stream: the page is done with
}

// tie ends the operators with a context, until it is undone. That of a call is
// no longer than the call: it may be of an operator before the sink, and end with
// it in a run that goes well.
func (w *throughWriter[A, B]) tie(ctx context.Context) (untie func() bool) {
	if w.untie != nil && ctx.Done() == w.st.Run().Context().Done() { // they are tied to that from Open on
		return tiedAlready
	}
	return context.AfterFunc(ctx, func() { w.group.Cancel(context.Cause(ctx)) })
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
