package rxcql

import (
	"context"
	"errors"
	"fmt"
)

// Stream is a cold, typed Observable of pages of T. Building one does no I/O
// and starts nothing. Each run reads afresh, except where a source says that it
// is single run (channels).
//
// The zero Stream is not usable.
type Stream[T any] struct {
	node *node
	run  func(ctx context.Context, st *Stage, out Observer[T]) error
}

// Observer takes the pages of a stream. Calls never overlap, and every call
// happens before the next one, whatever goroutine makes it. The context is for the
// call alone: it may be that of an operator which is done before the run is.
type Observer[T any] interface {
	// Next takes a page. The page and its rows are the caller's again when the
	// call returns; see Page. An error ends the stream, and is not wrapped on
	// its way up.
	Next(ctx context.Context, p *Page[T]) error
	// Done says that no page follows: the observer hands on what it keeps and
	// calls Done downstream. It is called at most once, never after an error.
	// stopped says that reading was stopped early (Pipeline.Stop): what is not
	// whole then, such as an open group, must not be handed on.
	Done(ctx context.Context, stopped bool) error
}

// Limiter is what an Observer may implement to say that it needs only so many
// rows more; 0 means no limit. Sources ask it to read no more than that.
type Limiter interface{ Limit() int64 }

// mostLimit is from where a limit is none: no one reads that many rows, and sums
// of limits stay clear of an overflow.
const mostLimit = 1 << 48

// LimitOf returns the number of rows that out can still use, 0 for no limit.
func LimitOf[T any](out Observer[T]) int64 {
	if l, ok := out.(Limiter); ok {
		if n := l.Limit(); n > 0 && n < mostLimit {
			return n
		}
	}
	return 0
}

// Upstream is a Stream of any type, as an input of NewStream.
type Upstream interface{ tree() *node }

func (s Stream[T]) tree() *node { return s.node }

// NewStream makes a stream from a function that runs it: one that delivers
// pages to out, calls out.Done, and returns when nothing that it started is
// left. It is how sources and asynchronous operators are written; synchronous
// operators are simpler with Lift. The function is called once a run, in the
// goroutine of whoever subscribes; goroutines of its own come from a Group. That of
// a source in a job that goes on may be called once more before the run, with a
// stage of its own, to compare what it reads (Stage.Resume).
func NewStream[T any](info StageInfo, run func(ctx context.Context, st *Stage, out Observer[T]) error, inputs ...Upstream) Stream[T] {
	n := &node{info: info}
	for _, in := range inputs {
		if in == nil || in.tree() == nil {
			n.info.Err = errors.Join(n.info.Err, errors.New("its input is the zero Stream"))
			continue
		}
		n.inputs = append(n.inputs, in.tree())
	}
	s := Stream[T]{node: n, run: run}
	if info.Source {
		n.trial = func(ctx context.Context, r *Run) error { return s.subscribe(ctx, r, nil, trial[T]{}) }
	}
	return s
}

// Info describes the stream's last stage; of the zero Stream there is nothing
// to say.
func (s Stream[T]) Info() StageInfo {
	if s.node == nil {
		return StageInfo{}
	}
	return s.node.info
}

// Scattered tells whether any stage up to here scatters (see StageInfo).
func (s Stream[T]) Scattered() bool {
	scattered := false
	if s.node != nil {
		s.node.walk(func(n *node) { scattered = scattered || n.info.Scatters })
	}
	return scattered
}

// OutOfStep names the stages up to here that may hand rows on later than they come,
// or in another order: those that hold or mix rows, or do not work in the goroutine
// that brings them. It is for sinks that have a stream inside.
func (s Stream[T]) OutOfStep() (names []string) {
	if s.node != nil {
		s.node.walk(func(n *node) {
			i := &n.info
			if i.Holds || i.Lingers || i.Scatters || i.Adjacent || !i.Synchronous && !i.Source {
				names = append(names, i.Name)
			}
		})
	}
	return names
}

// Uses tells whether the stream reads another one, directly or not.
func (s Stream[T]) Uses(in Upstream) bool {
	used := false
	if s.node != nil {
		s.node.walk(func(n *node) { used = used || n == in.tree() })
	}
	return used
}

// Sources are the names of the sources that the stream reads.
func (s Stream[T]) Sources() (names []string) {
	if s.node != nil {
		s.node.walk(func(n *node) {
			if n.info.Source {
				names = append(names, n.info.Name)
			}
		})
	}
	return names
}

// ConfigError reports what is wrong with the options of all stages up to here.
// It is for sinks that have a stream inside; New does it for a pipeline's own.
func (s Stream[T]) ConfigError() error {
	if s.node == nil {
		return errors.New("the stream is the zero Stream; make one with package source")
	}
	var errs []error
	s.node.walk(func(n *node) {
		if n.info.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.info.Name, n.info.Err))
		}
	})
	return errors.Join(errs...)
}

// Check compares all stages up to here with the server's schema, likewise.
func (s Stream[T]) Check(ctx context.Context) error { return checkTree(ctx, s.node) }

// Register opens the stages up to here in a run, so that they have the same names
// every time. Sinks that have a stream inside call it in Open.
func (s Stream[T]) Register(r *Run) { r.stage(s.node) }

// Subscribe runs the stream into out, as a part of the run that st belongs to,
// and returns when it has ended and nothing is left of it. st is the stage that
// subscribes: the rows count as its input, unless it is a sink's, which counts by
// itself, and a panic in out becomes a StageError of it. This is for writing
// operators; to read a stream use All, or a Pipeline.
func (s Stream[T]) Subscribe(ctx context.Context, st *Stage, out Observer[T]) error {
	return s.subscribe(ctx, st.run, st, &entry[T]{st: st, op: out})
}

// subscribe is Subscribe by reader, which is nil where the run itself reads.
func (s Stream[T]) subscribe(ctx context.Context, r *Run, reader *Stage, out Observer[T]) (err error) {
	st := r.stage(s.node)
	defer func() {
		if end := st.end.Load(); end != nil && err == error(end) { //nolint:errorlint // this very token, never wrapped
			err = nil
		}
	}()
	ctx, leave := st.enter(ctx, reader)
	defer leave()
	defer st.Recover(&err)
	return s.run(ctx, st, &counted[T]{out: out, rows: &st.out})
}

// counted counts the rows that leave a stage.
type counted[T any] struct {
	out  Observer[T]
	rows interface{ Add(int64) int64 }
}

func (c *counted[T]) Next(ctx context.Context, p *Page[T]) error {
	c.rows.Add(int64(len(p.Rows)))
	return c.out.Next(ctx, p)
}

func (c *counted[T]) Done(ctx context.Context, stopped bool) error { return c.out.Done(ctx, stopped) }

func (c *counted[T]) Limit() int64 { return LimitOf(c.out) }

// entry stands before an operator: counts its rows and catches its panics.
type entry[T any] struct {
	st *Stage
	op Observer[T]
}

func (e *entry[T]) Next(ctx context.Context, p *Page[T]) (err error) {
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

func (e *entry[T]) Limit() int64 { return LimitOf(e.op) }

// Lift makes a stream by putting an observer between in and whoever observes
// the result: a synchronous operator, one loop a page. start is called once a
// run. If the observer keeps rows from one page to the next, info has to say so
// (StageInfo.Holds).
func Lift[A, B any](in Stream[A], info StageInfo, start func(st *Stage, out Observer[B]) Observer[A]) Stream[B] {
	info.Synchronous = true
	return NewStream(info, func(ctx context.Context, st *Stage, out Observer[B]) error {
		op := start(st, out)
		if _, limits := op.(Limiter); !limits && info.OneToOne {
			op = &oneToOne[A, B]{Observer: op, out: out}
		}
		return in.Subscribe(ctx, st, op)
	}, in)
}

// oneToOne passes a limit up through an operator that keeps the number of rows.
type oneToOne[A, B any] struct {
	Observer[A]
	out Observer[B]
}

func (o *oneToOne[A, B]) Limit() int64 { return LimitOf(o.out) }
