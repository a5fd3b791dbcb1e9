package rxcql

import (
	"errors"
	"runtime/debug"
	"sync/atomic"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

// Stage is one stage in one run: its counters, and its way to the run. The functions given to
// NewStream and Lift get it, and sinks make theirs by Execution.SinkStage.
type Stage struct {
	run   *Execution
	node  *node
	name  string
	task  *flow.Task
	sink  bool // counts its rows in by itself
	reads bool // a source of the stream itself, not of one inside a sink

	in, out, dropped      atomic.Int64
	skipped, deadLettered atomic.Int64
	end                   atomic.Pointer[flow.End]
	handing               handing
	facts                 []Fact // of a sink
}

// Name returns the stage's name in this run, as in the report.
func (s *Stage) Name() string { return s.name }

// Run returns the run that the stage belongs to.
func (s *Stage) Run() *Execution { return s.run }

// Input returns a source's side of the budget; nil for other stages.
func (s *Stage) Input() *flow.Input { return s.task.Input() }

// Fail wraps an error in a StageError of this stage. A nil error stays nil. It ends nothing: return
// the error, or end the run with it by Execution.Fail.
func (s *Stage) Fail(err error) error {
	if err == nil {
		return nil
	}
	return s.fail(err)
}

func (s *Stage) fail(err error) *StageError {
	if row, ok := err.(*RowError); ok { //nolint:errorlint // just made; it does not show an End
		own := *row
		own.Err = s.run.ownError(row.Err)
		err = &own
	}
	failed := &StageError{Stage: s.name, Err: s.run.ownError(err)}
	var panicking *driver.MarshalPanicError
	if errors.As(err, &panicking) {
		failed.Stack = panicking.Stack
	}
	return failed
}

// FailUserFunc is Fail for an error that a function of the user's returned. Its text is the user's,
// so what may be a value in it stays out of the log. row is what the function was given; nil if
// that is not known.
func (s *Stage) FailUserFunc(err error, row any) error {
	if err == nil {
		return nil
	}
	failed := s.fail(err)
	failed.said = say(err, row)
	return failed
}

// End ends the stream on purpose. The operator delivers its last page, calls Done downstream, and
// then returns the error of End to its upstream. The run then ends without an error; it is not
// Complete, and EndedBy names the stage. An operator may cancel the context in which it reads with
// that error as the cause, but not a context in which a page is on its way downstream: rows would
// be given up, so the run fails. What it hands on behind its end is taken, in whatever context.
//
// The error may come back wrapped, or joined with others of its kind. Joined with any other error
// it is a failure, like that one. A sink cannot end the stream: for its stage the error of End is a
// failure too. A stage that waits for something in the context of a page returns context.Cause of
// it, when that has ended. If it returns ctx.Err(), and a stage that follows has ended the stream,
// the next run of the job reads the page again.
func (s *Stage) End() error {
	if s.sink {
		return s.Fail(errSinkEnds)
	}
	s.run.endedBy(s.name)
	s.end.CompareAndSwap(nil, flow.NewEnd(s.name, s.run.budget))
	return s.end.Load()
}

var errSinkEnds = errors.New("a sink cannot end its stream by Stage.End, since the rows that it does not take would count as written; " +
	"call Pipeline.Stop, or put an operator before it that ends the stream")

// Account opens an account for rows that the stage keeps. frees says that these rows leave by
// themselves in time (a timer, a write in flight) and do not wait for more rows.
func (s *Stage) Account(frees bool) *flow.Account {
	return s.task.Account(s.name, frees)
}

// InStep is for a stage that reads several inputs in step, so that a page of one waits in Next for
// rows of another: it tells the budget so. Call it in each call of the run function.
func (s *Stage) InStep() *flow.InStep { return s.task.InStep() }

// CountIn counts rows that came into the stage. Sinks call it with each page; operators need not,
// since the engine counts for them.
func (s *Stage) CountIn(rows int) { s.in.Add(int64(rows)) }

// CountOut counts rows that a sink, such as Tee, handed on to operators or sinks inside it. They
// are the stage's rows out, and are counted as written elsewhere.
func (s *Stage) CountOut(rows int) { s.out.Add(int64(rows)) }

// Abandon gives up rows that the stage keeps and that are not whole when reading has been stopped
// (flow.Observer.Done with stopped set). Their bytes are released and their receipts stay open, so
// a later run reads them again. The run does not fail for that.
func (s *Stage) Abandon(l *flow.Reservation) {
	if !l.Empty() {
		s.run.abandoned.Store(true)
	}
	l.Release()
}

// CountDropped counts rows that the stage dropped on purpose. It is only for stages without
// StageInfo.Drops; for those with it, rows in and out tell.
func (s *Stage) CountDropped(rows int) { s.dropped.Add(int64(rows)) }

// Recover turns a panic into a StageError with its stack. Defer it where the extra call of Protect
// would cost too much.
func (s *Stage) Recover(err *error) {
	if r := recover(); r != nil {
		*err = panicked(s.name, r)
	}
}

func panicked(stage string, value any) error {
	err := &panicError{value}
	return &StageError{Stage: stage, Err: err, Stack: debug.Stack(), said: err.said()}
}

// protect is Stage.Protect where there is no stage yet. name is called only after a panic.
func protect(name func() string, fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(name(), r)
		}
	}()
	return fn()
}

// Protect calls fn and returns its error. A panic in fn comes back as a StageError with its stack.
func (s *Stage) Protect(fn func() error) (err error) {
	defer s.Recover(&err)
	return fn()
}
