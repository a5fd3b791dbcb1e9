package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Script is a source for tests: what it gives is said step by step, and comes in that order.
//
//	script := rxcqltest.NewScript[int]().
//		Page(1, 2, 3).
//		Delay(time.Minute).
//		Page(4).
//		Fail(lost)
//	_, err := myPipeline(script.Stream()).Collect(t.Context())
//
// A script may have several parts, as the token ranges of a table are: Part says of which one
// the pages are that follow it. The last page of each part says that it is the last, unless
// the script fails before it could know. A script of no pages that does not fail is one
// part whose only page has no rows.
//
// A script can be part of a job with a checkpoint. A run that goes on takes all steps again,
// except the pages that are settled, which it leaves out. Pages are reserved in the budget
// with what their rows weigh (rxcql.SizeFunc), and each is handed on before the next step is
// taken: a sink that does not accept holds the script up.
//
// In a bubble of testing/synctest a Delay takes no time. The methods that say steps are to be
// called before Stream, and return the script, so that they can be chained.
type Script[T any] struct {
	name  string
	steps []step[T]
	part  int
	err   error // what is wrong with the steps

	mu    sync.Mutex
	fired map[int]bool // steps of FailOnce that have failed
	runs  int
	pages int
	ended bool
	how   error
}

// step is a page, or something to do if do is not nil.
type step[T any] struct {
	part      int
	rows      []T
	bytes     int64 // 0 for what the rows weigh
	watermark flow.Watermark
	idle      time.Time
	do        func(ctx context.Context) error
	err       error // ends the script; nil if it does not
	once      bool  // the first time only
}

func (s step[T]) isPage() bool { return s.do == nil && s.err == nil }

// NewScript returns a script without steps. Its stage is named Script.
func NewScript[T any]() *Script[T] { return &Script[T]{name: "Script", fired: map[int]bool{}} }

// Name names the stage, for scripts of which a job has several: it knows them by their names.
func (s *Script[T]) Name(name string) *Script[T] {
	s.name = name
	return s
}

// Page gives a page of rows; without rows, an empty one.
func (s *Script[T]) Page(rows ...T) *Script[T] {
	s.steps = append(s.steps, step[T]{part: s.part, rows: slices.Clone(rows)})
	return s
}

// Part says that the pages that follow are of that part. Scripts begin with part 0, and leave out
// no number: a script with a page of part 2 has pages of 0 and 1 too, somewhere.
func (s *Script[T]) Part(number int) *Script[T] {
	s.part = number
	return s
}

// Watermark has the page before it say that event time has come to t in its part.
func (s *Script[T]) Watermark(t time.Time) *Script[T] {
	return s.change("Watermark", func(p *step[T]) { p.watermark = flow.WatermarkAt(t) })
}

// Idle has the page before it say that its part is idle: that the source has asked for more of it
// at that moment, and there was nothing.
func (s *Script[T]) Idle(at time.Time) *Script[T] {
	return s.change("Idle", func(p *step[T]) { p.idle = at })
}

// Bytes has the page before it count so many bytes in the budget.
func (s *Script[T]) Bytes(bytes int64) *Script[T] {
	return s.change("Bytes", func(p *step[T]) { p.bytes = bytes })
}

func (s *Script[T]) change(what string, fn func(p *step[T])) *Script[T] {
	if n := len(s.steps); n > 0 && s.steps[n-1].isPage() {
		fn(&s.steps[n-1])
		return s
	}
	s.err = errors.Join(s.err, fmt.Errorf("%s is about the page before it, and there is none: say Page first", what))
	return s
}

// Delay waits. A cancel ends that, and so does Pipeline.Stop.
func (s *Script[T]) Delay(d time.Duration) *Script[T] {
	return s.Do(func(ctx context.Context) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// Do calls a function: to wait for an event of the test, say. ctx ends with the run, and with
// Pipeline.Stop. An error of the function ends the script, as Fail does, unless ctx has ended.
func (s *Script[T]) Do(fn func(ctx context.Context) error) *Script[T] {
	if fn == nil {
		s.err = errors.Join(s.err, errors.New("the function of Do is nil"))
		return s
	}
	s.steps = append(s.steps, step[T]{do: fn})
	return s
}

// Fail ends the script with an error, each time that it is run. Steps behind it are never taken.
func (s *Script[T]) Fail(err error) *Script[T] { return s.fail(err, false) }

// FailOnce ends the script with an error the first time that a run comes to it. Later runs, of a
// job that goes on, say, pass it.
func (s *Script[T]) FailOnce(err error) *Script[T] { return s.fail(err, true) }

func (s *Script[T]) fail(err error, once bool) *Script[T] {
	if err == nil {
		s.err = errors.Join(s.err, errors.New("the error of Fail is nil"))
		return s
	}
	s.steps = append(s.steps, step[T]{err: err, once: once})
	return s
}

// Stream is the source. Each of several streams has the steps that were said so far; what Runs,
// Pages and Ended tell is of them all.
func (s *Script[T]) Stream() rxcql.Stream[T] {
	play, err := newPlay(s)
	info := rxcql.StageInfo{Name: s.name, Source: true, Err: errors.Join(s.err, err)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) (err error) {
		defer st.Input().Done()
		s.mu.Lock()
		s.runs++
		s.ended, s.how = false, nil
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended, s.how = true, err
		}()
		return play.run(ctx, st, out)
	})
}

// Runs is how often the script was begun. A job that goes on may begin it once more, to
// compare what it reads.
func (s *Script[T]) Runs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// Pages is how many pages were handed on and accepted, over all runs.
func (s *Script[T]) Pages() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages
}

// Ended reports whether the script is not running any more, and how the last run of it ended:
// nil for its end and for Stop; its own error; the cause of a cancel; or the error with which
// downstream refused a page.
func (s *Script[T]) Ended() (ended bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended, s.how
}

// fails reports whether a step fails now.
func (s *Script[T]) fails(i int, st step[T]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.err == nil || st.once && s.fired[i] {
		return false
	}
	s.fired[i] = true
	return true
}

func (s *Script[T]) accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
}
