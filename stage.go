package rxcql

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	"github.com/rxcql/rxcql/internal/driver"
)

// StageInfo describes a source or an operator, before any run.
type StageInfo struct {
	// Name as users know the verb, e.g. "Map". Where a pipeline has several of
	// one name the later ones are numbered: "Map 2".
	Name string
	// Source marks a stage that reads pages and reserves bytes of the budget.
	Source bool
	// OneToOne: every row in gives exactly one row out, in order. A limit set
	// downstream (Take) then holds upstream too.
	OneToOne bool
	// Adjacent: the stage needs rows of one partition to arrive together.
	Adjacent bool
	// Scatters: rows of one partition no longer arrive together, or rows of
	// several ranges are mixed in a page; GroupAdjacent refuses such input.
	Scatters bool
	// NotResumable: what the operator did before a restart cannot be had again
	// from a position in the source (it counts, remembers or folds over the
	// whole stream).
	NotResumable bool
	// WhyNot is, for NotResumable, more than its name says: what is in the way in
	// this case, and the mend. It may be empty.
	WhyNot string
	// Holds: the stage keeps rows from one page to the next, for as long as no
	// more come.
	Holds bool
	// Synchronous: before Observer.Next returns, what becomes of the page's rows has
	// been handed on, in their order and in the goroutine that called it. Lift sets
	// it; what is Synchronous and Holds all the same keeps its rows. See
	// Stream.OutOfStep.
	Synchronous bool
	// Lingers: the stage keeps rows for a time, which may be long; see Stage.Hurry.
	Lingers bool
	// Drops: rows in minus rows out are rows dropped on purpose; they are
	// reported as filtered, but for those that failed (RowFailed).
	Drops bool
	// File is the path of the file that a source reads. A job knows the file by
	// the stage's Name, which should have no folder, so that it may be moved: two
	// of one Name cannot be part of one job.
	File string
	// Err is what is wrong with the options given, reported by New.
	Err error
	// Check, if not nil, compares the stage with the server's schema. It is
	// called by Pipeline.Check and before every run.
	Check func(ctx context.Context) error
}

// node is a stage in the tree of a stream.
type node struct {
	info   StageInfo
	inputs []*node
	trial  func(ctx context.Context, r *Run) error // runs it for what it tells Stage.Resume; nil if it is no source
}

// walk visits the tree upstream first, every stage once.
func (n *node) walk(visit func(*node)) {
	seen := map[*node]bool{}
	var down func(*node)
	down = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.inputs {
			down(in)
		}
		visit(n)
	}
	down(n)
}

// Stage is one stage in one run: its counters, and its way to the run. It is
// handed to the functions given to NewStream and Lift, and to sinks.
type Stage struct {
	run   *Run
	node  *node
	name  string
	input *Input
	sink  bool // counts by itself what came in

	threads threads // under the budget's mutex
	readers []*link // those that read it; likewise

	in, out, dropped      atomic.Int64
	skipped, deadLettered atomic.Int64
	end                   atomic.Pointer[ended]
	facts                 []Fact // of a sink
}

// Name is the stage's name in this run, as in the report.
func (s *Stage) Name() string { return s.name }

// Run is the run that the stage belongs to.
func (s *Stage) Run() *Run { return s.run }

// Input is a source's side of the budget; nil for other stages.
func (s *Stage) Input() *Input { return s.input }

// Fail wraps an error in a StageError of this stage. Nil stays nil.
func (s *Stage) Fail(err error) error {
	if err == nil {
		return nil
	}
	return s.fail(err)
}

func (s *Stage) fail(err error) *StageError {
	failed := &StageError{Stage: s.name, Err: err}
	var panicking *driver.MarshalPanicError
	if errors.As(err, &panicking) {
		failed.Stack = panicking.Stack
	}
	return failed
}

// FailUsers is Fail for an error that a function of the user's returned: its words
// are the user's, and those that may be a value stay out of the log. Row is what the
// function was given; nil if it is not known.
func (s *Stage) FailUsers(err error, row any) error {
	if err == nil {
		return nil
	}
	failed := s.fail(err)
	failed.said = say(err, row)
	return failed
}

// End ends the stream on purpose: the operator returns the error to its
// upstream after it has delivered its last page and called Done downstream.
// The run is then not an error, and not Complete: EndedBy names the stage.
func (s *Stage) End() error {
	s.run.endedBy(s.name)
	s.end.CompareAndSwap(nil, &ended{by: s.name})
	return s.end.Load()
}

// Account opens an account for rows that the stage keeps. frees says that they
// leave by themselves in time (a timer, a write in flight) and do not wait for
// more rows to come.
func (s *Stage) Account(frees bool) *Account {
	return s.run.budget.newAccount(s.name, frees)
}

// Took counts rows that came into the stage. Sinks call it with each page; for
// operators the engine counts.
func (s *Stage) Took(rows int) { s.in.Add(int64(rows)) }

// Passed counts rows that a sink handed on to operators or sinks of its own, such
// as a Tee: they are its rows out, and written elsewhere.
func (s *Stage) Passed(rows int) { s.out.Add(int64(rows)) }

// Abandon gives up rows that the stage kept and that are not whole when reading
// has been stopped (Observer.Done with stopped set): their bytes are released
// and their receipts stay open, so that a later run reads them again. The run is
// not an error for that.
func (s *Stage) Abandon(l *Lease) {
	if !l.Empty() {
		s.run.abandoned.Store(true)
	}
	l.Release()
}

// Drop counts rows that the stage dropped on purpose; only for stages that are
// not marked Drops, whose rows in and out tell.
func (s *Stage) Drop(rows int) { s.dropped.Add(int64(rows)) }

// Recover turns a panic into a StageError with its stack. It is to be deferred, where
// Protect would cost a call too many.
func (s *Stage) Recover(err *error) {
	if r := recover(); r != nil {
		*err = panicked(s.name, r)
	}
}

func panicked(stage string, value any) error {
	err := &panicError{value}
	return &StageError{Stage: stage, Err: err, Stack: debug.Stack(), said: err.said()}
}

// protect is Stage.Protect where there is no stage yet; name is asked for after
// a panic only.
func protect(name func() string, fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(name(), r)
		}
	}()
	return fn()
}

// Protect calls fn and returns its error; a panic in it comes back as a
// StageError with its stack.
func (s *Stage) Protect(fn func() error) (err error) {
	defer s.Recover(&err)
	return fn()
}
