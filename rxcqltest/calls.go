package rxcqltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
)

// errRefused is why a page is not taken in the suites.
var errRefused = errors.New("rxcqltest: refused on purpose")

func isNotResumable(err error) bool { return errors.Is(err, rxcql.ErrNotResumable) }

// subject is a stream that the rules of calls are tried on: one of several pages, if that is
// possible.
type subject[T any] struct {
	stream  rxcql.Stream[T]
	ignored []string // functions of goroutines that may go on
}

// callRules are those of Reactive Streams, in the terms of flow.Observer, for the last stage of
// a stream. They are the same for sources and for operators.
func callRules[P, T any](of func(t testing.TB, p P) subject[T]) []rule[P] {
	try := func(name string, check func(t testing.TB, r *trial[T])) rule[P] {
		return rule[P]{name, func(t testing.TB, p P) { check(t, &trial[T]{stream: of(t, p).stream}) }}
	}
	return []rule[P]{
		try("Next and Done are called one at a time", func(t testing.TB, r *trial[T]) { // 1.3
			r.slow = time.Millisecond
			_, err := r.run(t.Context(), t)
			if r.seen.overlap {
				t.Fatalf("a call of Next or Done came while another was on its way")
			}
			must(t, err, "a run with a consumer that is slow")
		}),
		try("Done is called once, and nothing after it", func(t testing.TB, r *trial[T]) { // 1.7
			_, err := r.run(t.Context(), t)
			if r.seen.dones != 1 {
				t.Fatalf("Done was called %d times", r.seen.dones)
			}
			r.nothingAfter(t)
			must(t, err, "a run in which nothing goes wrong")
		}),
		try("An error of Next ends the stream, and nothing is called after it", func(t testing.TB, r *trial[T]) { // 1.7, 2.8
			r.at = func(w *watching[T]) error {
				if w.pages == 1 {
					return errRefused
				}
				return nil
			}
			rep, err := r.run(t.Context(), t)
			r.nothingAfter(t)
			if err == nil && r.whole() {
				t.Skip("this rule was not tried: there is only one page")
			}
			if !errors.Is(err, errRefused) {
				t.Fatalf("a run in which a page was refused returned %v, not the reason for that", err)
			}
			givenBack(t, rep, "a run in which a page was refused")
		}),
		try("An error of Done ends the run", func(t testing.TB, r *trial[T]) {
			r.atDone = func(context.Context) error { return errRefused }
			_, err := r.run(t.Context(), t)
			if !errors.Is(err, errRefused) {
				t.Fatalf("a run in which Done failed returned %v, not the reason for that", err)
			}
		}),
		try("When what follows ends the stream, that is no error, and all is settled", func(t testing.TB, r *trial[T]) {
			r.at = func(w *watching[T]) error {
				if w.pages == 1 {
					return w.end()
				}
				return nil
			}
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run that was ended on purpose")
			r.nothingAfter(t)
			if rep.PagesSettled != rep.Pages || rep.BytesInFlight != 0 {
				t.Fatalf("the stream was ended on purpose, and %d of %d pages are settled, and %d bytes of the budget were not given back",
					rep.PagesSettled, rep.Pages, rep.BytesInFlight)
			}
		}),
		try("A cancel ends it", func(t testing.TB, r *trial[T]) { // 3.5, 3.13
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r.at = func(w *watching[T]) error {
				if w.pages == 1 {
					cancel(errCutOff)
				}
				if w.pages > 1 {
					return context.Cause(ctx)
				}
				return nil
			}
			rep, err := r.run(ctx, t)
			if err == nil && r.whole() {
				return // the cancel came with the last page, or there was one only
			}
			if !errors.Is(err, errCutOff) {
				t.Fatalf("a run that was cancelled returned %v, not the reason for that", err)
			}
			givenBack(t, rep, "a run that was cancelled")
		}),
		try("Stop ends it in order", func(t testing.TB, r *trial[T]) {
			r.at = func(w *watching[T]) error {
				w.pipeline.Stop()
				return nil
			}
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run that was stopped")
			if rep.EndedBy == rxcql.EndedByStop && r.seen.dones == 0 {
				t.Fatalf("after Stop Done was not called")
			}
			givenBack(t, rep, "a run that was stopped")
		}),
		try("After a panic of what follows everything is given back", func(t testing.TB, r *trial[T]) {
			r.at = func(w *watching[T]) error {
				if w.pages == 1 {
					panic(errRefused)
				}
				return nil
			}
			rep, err := r.run(t.Context(), t)
			if err == nil && r.whole() {
				t.Skip("this rule was not tried: there is only one page")
			}
			if !errors.Is(err, rxcql.ErrPanic) {
				t.Fatalf("a run with a panic returned %v, which is no ErrPanic", err)
			}
			givenBack(t, rep, "a run with a panic")
		}),
		{"It leaves no goroutine behind", func(t testing.TB, p P) { // 3.13
			s := of(t, p)
			leavesNothing(t, s.ignored, func(ctx context.Context) {
				r := &trial[T]{stream: s.stream}
				_, err := r.run(ctx, t)
				must(t, err, "a run in which nothing goes wrong")
			})
			s = of(t, p)
			leavesNothing(t, s.ignored, func(ctx context.Context) {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				r := &trial[T]{stream: s.stream, at: func(*watching[T]) error {
					cancel(errCutOff)
					return nil
				}}
				_, _ = r.run(ctx, t)
			})
		}},
	}
}

// whole reports whether the run has come to its end.
func (r *trial[T]) whole() bool { return r.seen.dones > 0 }

func (r *trial[T]) nothingAfter(t testing.TB) {
	t.Helper()
	if r.seen.after != "" {
		t.Fatal(r.seen.after)
	}
}

// givenBack fails the test if bytes of the budget are left.
func givenBack(t testing.TB, rep rxcql.Report, after string) {
	t.Helper()
	if rep.BytesInFlight != 0 {
		t.Fatalf("after %s %d bytes of the budget were not given back", after, rep.BytesInFlight)
	}
}
