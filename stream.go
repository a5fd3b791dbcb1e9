package rxcql

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/flow"
)

// Stream is a cold, typed Observable of pages of T. Building one does no I/O and starts nothing.
// Each run reads anew, except with sources that can be read only once (source.Chan, source.Pages).
//
// The zero Stream is not usable.
type Stream[T any] struct {
	node *node
	run  func(ctx context.Context, st *Stage, out flow.Observer[T]) error
}

// AnyStream is a Stream of any type, as an input of NewStream.
type AnyStream interface{ tree() *node }

func (s Stream[T]) tree() *node { return s.node }

// NewStream makes a stream from a function that runs it. The function delivers pages to out, calls
// out.Done, and returns when nothing that it started is left. Sources are written so, and so are
// operators that have goroutines or keep rows; for others Lift is simpler.
//
// An operator names the streams that it reads as inputs, and reads each by Subscribe. When
// Subscribe has returned, it gives back what it still keeps, whatever the error is:
//
//	err := in.Subscribe(ctx, st, keeper)
//	keeper.reservation.Finish(err)
//	return err
//
// The function is called once for each run, in the goroutine of the subscriber. It starts
// goroutines by Stage.TaskGroup only. In a job that goes on, the function of a source may be called
// once more before the run, with a stage of its own, to compare what it reads (Stage.Resume).
func NewStream[T any](info StageInfo, run func(ctx context.Context, st *Stage, out flow.Observer[T]) error, inputs ...AnyStream) Stream[T] {
	n := &node{info: info}
	for _, in := range inputs {
		if in == nil || in.tree() == nil {
			n.info.Err = errors.Join(n.info.Err, errors.New("its input is the zero Stream"))
			continue
		}
		n.inputs = append(n.inputs, in.tree())
	}
	n.lane = laneOf(info, n.inputs)
	s := Stream[T]{node: n, run: run}
	if info.Source {
		n.dryRun = func(ctx context.Context, r *Execution) error { return s.subscribe(ctx, r, nil, dryRun[T]{}) }
	}
	return s
}

// Info describes the stream's last stage. For the zero Stream it is zero.
func (s Stream[T]) Info() StageInfo {
	if s.node == nil {
		return StageInfo{}
	}
	return s.node.info
}

// Stages describes the stages up to here, upstream first, each once; none for the zero Stream.
func (s Stream[T]) Stages() (infos []StageInfo) {
	if s.node != nil {
		s.node.walk(func(n *node) { infos = append(infos, n.info) })
	}
	return infos
}

// MixesRows reports whether any stage up to here mixes rows (StageInfo.MixesRows).
func (s Stream[T]) MixesRows() bool { return s.node != nil && s.node.scatters() }

// Uses reports whether the stream reads another one, directly or not.
func (s Stream[T]) Uses(in AnyStream) bool {
	used := false
	if s.node != nil {
		s.node.walk(func(n *node) { used = used || n == in.tree() })
	}
	return used
}

// Lane returns the lane that the stream's last stage is in (StageInfo.Lane); "" for none.
func (s Stream[T]) Lane() string {
	if s.node == nil {
		return ""
	}
	return s.node.lane
}

// MadeFrom returns an error unless the stream is made from in and from no other source. It is for
// operators and sinks to which users give a function that puts operators behind a stream.
func (s Stream[T]) MadeFrom(in AnyStream) error {
	if s.node == nil {
		return errors.New("the function returned the zero Stream")
	}
	var errs []error
	if !s.Uses(in) {
		errs = append(errs, errors.New("the function does not use the stream it is given: every row would be lost"))
	}
	s.node.walk(func(n *node) {
		if n.info.Source {
			errs = append(errs, fmt.Errorf("the function brings in another source: %s; merge streams before it", n.info.Name))
		}
	})
	return errors.Join(errs...)
}

// Check compares all stages up to here with the server's schema. It is for a stream that is read
// without a pipeline; Pipeline.Check does this for a pipeline.
func (s Stream[T]) Check(ctx context.Context) error {
	if s.node == nil {
		return nil // the reader of the stream reports that
	}
	return checkTree(ctx, s.node)
}

// Subscribe runs the stream into out as a part of st's run, and returns when it has ended and
// nothing of it is left. st is the stage that subscribes. Its rows in are counted, unless it is a
// sink's, which counts by itself. A panic in out becomes a StageError of st. Subscribe is for
// writing operators; to read a stream use All, or a Pipeline.
func (s Stream[T]) Subscribe(ctx context.Context, st *Stage, out flow.Observer[T]) error {
	var op flow.Observer[T] = &entry[T]{st: st, op: out}
	if in := inputsOf(ctx, st); in != nil {
		op = &input[T]{op: op, in: in, number: in.begin(s.node)}
	}
	return s.subscribe(ctx, st.run, st, op)
}

// subscribe is Subscribe for reader, which is nil if the run itself reads.
func (s Stream[T]) subscribe(ctx context.Context, r *Execution, reader *Stage, out flow.Observer[T]) (err error) {
	st := r.stage(s.node)
	defer func() {
		if end := st.end.Load(); end != nil && flow.EndOf(err) == end {
			err = nil
		}
		err = r.ownError(err)
	}()
	var by *flow.Task
	if reader != nil {
		by = reader.task
	}
	var origin *flow.Origin
	if s.node.info.Source {
		origin = st.Origin()
		attemptOf(ctx, r).reads(st, origin)
	}
	ctx, leave := st.task.Enter(ctx, by, origin)
	defer leave()
	defer st.Recover(&err)
	to := &counted[T]{out: out, st: st, origin: origin}
	if ctx, err = withInputs[T](ctx, st, to); err != nil {
		return err
	}
	to.ctx = ctx
	return s.run(ctx, st, to)
}

// counted counts the rows that leave a stage, and looks at the errors that come back. Behind a
// source it also marks each page with the source's origin; a source that is read twice in a run has
// two origins. And it cuts a page that an earlier run has read some rows of.
type counted[T any] struct {
	out    flow.Observer[T]
	st     *Stage
	origin *flow.Origin // nil unless the stage is a source

	ctx context.Context //nolint:containedctx // in which the stage's stream is read
}

func (c *counted[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	ctx, call := c.st.handsOn(ctx, c.ctx)
	c.st.out.Add(int64(len(p.Rows)))
	if p.Source == nil && c.origin != nil {
		p.ComesFrom(c.origin)
	}
	var err error
	if c.origin == nil {
		err = c.out.Next(ctx, p)
	} else {
		err = flow.Reread(ctx, p, c.out)
	}
	err = c.st.handedBack(ctx, err)
	c.st.back(call)
	return err
}

func (c *counted[T]) Done(ctx context.Context, stopped bool) error {
	ctx, call := c.st.handsOn(ctx, c.ctx)
	err := c.st.handedBack(ctx, c.out.Done(ctx, stopped))
	c.st.back(call)
	return err
}

func (c *counted[T]) Demand() int64 { return flow.DemandOf(c.out) }

// entry stands before an operator: it counts the operator's rows in and catches its panics.
type entry[T any] struct {
	st *Stage
	op flow.Observer[T]
}

func (e *entry[T]) Next(ctx context.Context, p *flow.Page[T]) (err error) {
	defer e.st.Recover(&err)
	if !e.st.sink {
		e.st.in.Add(int64(len(p.Rows)))
	}
	return e.op.Next(ctx, p)
}

func (e *entry[T]) Done(ctx context.Context, stopped bool) (err error) {
	defer e.st.Recover(&err)
	return e.op.Done(ctx, stopped)
}

func (e *entry[T]) Demand() int64 { return flow.DemandOf(e.op) }

// Lift makes a stream by putting an observer between in and the subscriber of the result: a
// synchronous operator, one loop for each page. start is called once for each run.
//
// For an operator that keeps rows from one page to the next (StageInfo.HoldsRows) NewStream is
// better. An observer is not told of an error, so what it keeps then stays charged to the budget
// until the run is over. In a sink (sink.Through) that is a fault that rxcqltest.TestSink reports.
//
// Wrap an error by Stage.Fail, or by Stage.FailUserFunc if a function of the user's returned it;
// otherwise it does not name the stage. A panic needs no care: it becomes a StageError.
func Lift[A, B any](in Stream[A], info StageInfo, start func(st *Stage, out flow.Observer[B]) flow.Observer[A]) Stream[B] {
	info.Synchronous = true
	return NewStream(info, func(ctx context.Context, st *Stage, out flow.Observer[B]) error {
		op := start(st, out)
		if _, limits := op.(flow.Demander); !limits && info.OneToOne {
			op = &oneToOne[A, B]{Observer: op, out: out}
		}
		return in.Subscribe(ctx, st, op)
	}, in)
}

// oneToOne passes a limit upstream through an operator that keeps the number of rows.
type oneToOne[A, B any] struct {
	flow.Observer[A]
	out flow.Observer[B]
}

func (o *oneToOne[A, B]) Demand() int64 { return flow.DemandOf(o.out) }
