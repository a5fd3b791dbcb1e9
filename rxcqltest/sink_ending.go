package rxcqltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// errSource ends a stream of the suite.
var errSource = errors.New("rxcqltest: the source failed on purpose")

// endingRules are about runs that end otherwise than they should.
func endingRules[T any]() []rule[SinkPlace[T]] {
	return []rule[SinkPlace[T]]{
		{"After an error Close gives everything back and settles nothing", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.fails = func(rows int) error {
				if rows >= 9*pageRows {
					return errSource
				}
				return nil
			}
			rep, err := r.run(t.Context(), t)
			if !errors.Is(err, errSource) {
				t.Fatalf("a run whose source failed returned %v", err)
			}
			r.ended(t, rep)
		}},
		{"After a cancel the run ends and settles only what is durable", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r.before = func(_ context.Context, _ *rxcql.Pipeline, rows int) {
				if rows >= jobRows/2 {
					cancel(errCutOff)
				}
			}
			rep, err := r.run(ctx, t)
			if !errors.Is(err, errCutOff) {
				t.Fatalf("a run that was cancelled returned %v, not the reason for that", err)
			}
			r.ended(t, rep)
		}},
		{"Close leaves no goroutine behind", func(t testing.TB, p SinkPlace[T]) {
			leavesNothing(t, p.IgnoreGoroutines, func(ctx context.Context) {
				_, err := p.newRun().run(ctx, t)
				must(t, err, "a run in which nothing goes wrong")
			})
			leavesNothing(t, p.IgnoreGoroutines, func(ctx context.Context) {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				r := p.newRun()
				r.before = func(context.Context, *rxcql.Pipeline, int) { cancel(errCutOff) }
				_, _ = r.run(ctx, t)
			})
		}},
		{"A write that fails ends the run with its error, and its rows stay open", func(t testing.TB, p SinkPlace[T]) {
			need(t, p.Fail != nil, "Fail")
			r := p.newRun()
			r.before = func(_ context.Context, _ *rxcql.Pipeline, rows int) { p.Fail(rows >= jobRows/2) }
			rep, err := r.run(t.Context(), t)
			p.Fail(false)
			switch {
			case err == nil:
				t.Fatalf("a run returned nil though the place failed: %d of %d rows are there", len(p.counts()), jobRows)
			case errors.Is(err, rxcql.ErrUnsettled):
				t.Fatalf("the error of the place was lost: the run returned %v", err)
			}
			r.ended(t, rep)
			if rep.PagesSettled == rep.Pages {
				t.Fatalf("all pages that were read are settled, though the place failed")
			}
		}},
		{"A write that fails in the background ends a run that waits", failsInTheBackground[T]},
		{"A panic while rows are written ends the run, and everything is given back", func(t testing.TB, p SinkPlace[T]) {
			need(t, p.Panic != nil, "Panic")
			r := p.newRun()
			r.before = func(_ context.Context, _ *rxcql.Pipeline, rows int) { p.Panic(rows >= jobRows/2) }
			rep, err := r.run(t.Context(), t)
			p.Panic(false)
			if !errors.Is(err, rxcql.ErrPanic) {
				t.Fatalf("a run with a panic returned %v, which is no rxcql.ErrPanic: call what may panic by Stage.Protect", err)
			}
			r.ended(t, rep)
			if rep.PagesSettled == rep.Pages {
				t.Fatalf("all pages that were read are settled, though writing has panicked")
			}
		}},
		{"A write that hangs ends with the grace period", func(t testing.TB, p SinkPlace[T]) {
			need(t, p.Stall != nil, "Stall")
			r := p.newRun()
			r.opts = append(r.opts, rxcql.WithGrace(50*time.Millisecond))
			ctx, cancel := context.WithCancelCause(t.Context())
			t.Cleanup(func() { cancel(nil); p.Stall(false) })
			timer := time.AfterFunc(time.Hour, func() { cancel(errCutOff) })
			defer timer.Stop()
			r.before = func(_ context.Context, _ *rxcql.Pipeline, rows int) {
				if rows >= jobRows/2 {
					p.Stall(true)
					timer.Reset(20 * time.Millisecond) // Write may be what hangs
				}
			}
			rep, err := r.run(ctx, t)
			p.Stall(false)
			if !errors.Is(err, errCutOff) {
				t.Fatalf("a run that was cancelled while writes hung returned %v, not the reason for that", err)
			}
			r.ended(t, rep)
		}},
	}
}

// mostHeld is how many rows a sink may gather before it writes some.
const mostHeld = 20_000

// failsInTheBackground hands rows on while the place fails, and then waits for the run to end, as a
// source does that waits for rows.
func failsInTheBackground[T any](t testing.TB, p SinkPlace[T]) {
	need(t, p.Fail != nil, "Fail")
	rows := make([]int, mostHeld+1000)
	for i := range rows {
		rows[i] = i
	}
	r := p.newRun()
	r.src = &jobtest.Parts[int]{Name: "Numbers", PageRows: 1000, Rows: [][]int{rows}}
	r.unwatched = true // pages are not watched
	hung := false
	r.before = func(ctx context.Context, _ *rxcql.Pipeline, rows int) {
		switch {
		case rows == 0:
			p.Fail(true)
		case rows >= mostHeld && !hung:
			select {
			case <-ctx.Done():
			case <-time.After(patience / 2):
				hung = true
			}
		}
	}
	_, err := r.run(t.Context(), t)
	p.Fail(false)
	if hung {
		t.Fatalf("a run went on although writes had failed; it had to end by Execution.Fail")
	}
	if err == nil {
		t.Fatalf("a run returned nil though every write failed")
	}
}
