package rxcqltest

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Probe is a sink for tests: it takes rows only when the test asks for them, so that you say
// step by step what is to come.
//
//	probe := rxcqltest.Observe(t, myOperator(script.Stream()))
//	probe.ExpectRows(1, 2)
//	probe.ExpectNothing(time.Minute) // in a bubble of testing/synctest
//	probe.ExpectRows(3)
//	probe.ExpectComplete()
//
// A page is accepted when all of its rows have been asked for: until then the stream waits, as
// it does for a sink that is slow. Pages without rows are accepted on the way, unless you ask for
// them by ExpectPage. A page that is accepted is settled, unless the probe holds pages (Hold).
//
// What is not as expected ends the test (FailNow), so the methods belong in its goroutine. The
// run is cancelled when the test ends, and waited for. Expectations wait for as long as it
// takes: what hangs is ended by a deadlock in a bubble of testing/synctest, and by the time limit
// of go test elsewhere.
//
// A Probe is a rxcql.Sink, so that several can be put into sink.Tee, in a Pipeline of your own. It
// is good for one run of that. Then the run's end is yours to look at, and ExpectComplete,
// ExpectError, ExpectEndedBy, Stop and Cancel, which are of a run that the probe has started, end
// the test.
type Probe[T any] struct {
	t      testing.TB
	keep   func(T) T
	offers chan *offer[T]
	page   *offer[T] // of which rows are left to be asked for; nil if there is none

	opened atomic.Bool // in a pipeline of the test's own

	mu       sync.Mutex
	holding  bool
	held     []*flow.Reservation
	released chan struct{} // closed when nothing is held any more

	pipeline *rxcql.Pipeline
	cancel   context.CancelFunc
	over     chan struct{} // closed when the run has ended, or the writer is closed
	report   rxcql.Report
	err      error
}

// offer is a page that the stream wants to hand on.
type offer[T any] struct {
	rows  []T
	said  flow.Advance
	taken chan error    // gets what Write is to return
	done  chan struct{} // closed when Write is about to return
}

// NewProbe returns a probe that is to be put into a pipeline, or started.
func NewProbe[T any](t testing.TB) *Probe[T] {
	return &Probe[T]{
		t: t, keep: rxcql.CloneFunc[T](), offers: make(chan *offer[T]),
		released: make(chan struct{}), over: make(chan struct{}),
	}
}

// Observe starts a run of the stream, with these options, into a probe of its own.
func Observe[T any](t testing.TB, in rxcql.Stream[T], opts ...rxcql.Option) *Probe[T] {
	t.Helper()
	p := NewProbe[T](t)
	p.Start(in, opts...)
	return p
}

// Start runs a stream into the probe. A probe can be started again when the run before has
// ended: in a job, to go on.
func (p *Probe[T]) Start(in rxcql.Stream[T], opts ...rxcql.Option) {
	p.t.Helper()
	if p.pipeline != nil {
		select {
		case <-p.over:
		default:
			p.t.Fatalf("the probe is started again before its run has ended: say how that ends, by ExpectComplete or ExpectError")
		}
	}
	pipeline, err := rxcql.New(in, p, opts...)
	must(p.t, err, "rxcql.New")
	ctx, cancel := context.WithCancel(p.t.Context())
	over := make(chan struct{})
	p.pipeline, p.cancel, p.over, p.page = pipeline, cancel, over, nil
	var run sync.WaitGroup
	run.Go(func() {
		defer close(over)
		p.report, p.err = pipeline.Run(ctx)
	})
	p.t.Cleanup(func() {
		cancel()
		run.Wait()
	})
}

// Take asks for n rows and returns them.
func (p *Probe[T]) Take(n int) []T {
	p.t.Helper()
	rows := make([]T, 0, n)
	for len(rows) < n {
		o := p.next("%d rows have come, and %d were asked for", len(rows), n)
		k := min(n-len(rows), len(o.rows))
		rows = append(rows, o.rows[:k]...)
		if o.rows = o.rows[k:]; len(o.rows) == 0 {
			p.accept(nil)
		}
	}
	return rows
}

// ExpectRows asks for as many rows as these, and expects them to come in that order, in
// whatever pages. Rows are compared by reflect.DeepEqual.
func (p *Probe[T]) ExpectRows(rows ...T) {
	p.t.Helper()
	for i, want := range rows {
		if got := p.Take(1)[0]; !reflect.DeepEqual(got, want) {
			p.t.Fatalf("row %d of %d is %+v, and not %+v", i+1, len(rows), got, want)
		}
	}
}

// ExpectPage asks for a whole page, and expects it to have these rows: none, for an empty one. It
// returns what the page says of its part.
func (p *Probe[T]) ExpectPage(rows ...T) flow.Advance {
	p.t.Helper()
	if p.page != nil {
		p.t.Fatalf("a page was asked for while %d rows of the one before are left: ask for these first", len(p.page.rows))
	}
	o := p.next("a page was asked for")
	if len(o.rows) != len(rows) || len(rows) > 0 && !reflect.DeepEqual(o.rows, rows) {
		p.t.Fatalf("the page has the rows %+v, and not %+v", o.rows, rows)
	}
	p.accept(nil)
	return o.said
}

// ExpectNothing expects that for so long no row comes and the stream does not end. In a bubble of
// testing/synctest that takes no time, and is sure.
func (p *Probe[T]) ExpectNothing(d time.Duration) {
	p.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		if p.page != nil {
			p.t.Fatalf("nothing was to come, and there are rows: %+v", p.page.rows)
		}
		select {
		case o := <-p.offers:
			p.page = o
			if len(o.rows) == 0 {
				p.accept(nil)
			}
		case <-p.over:
			p.t.Fatalf("nothing was to come, and the run has ended: %v", p.err)
		case <-timer.C:
			return
		}
	}
}

// Fail refuses the next page, as a sink that fails does.
func (p *Probe[T]) Fail(err error) {
	p.t.Helper()
	p.next("a page was to be refused")
	p.accept(err)
}

// next waits for a page, unless there is one already.
func (p *Probe[T]) next(format string, args ...any) *offer[T] {
	p.t.Helper()
	if p.page != nil {
		return p.page
	}
	select {
	case p.page = <-p.offers:
	case <-p.over:
		p.t.Fatalf(format+", and the run has ended: %v", append(args, p.err)...)
	}
	return p.page
}

// accept has Write return.
func (p *Probe[T]) accept(err error) {
	o := p.page
	p.page = nil
	o.taken <- err
	<-o.done
}
