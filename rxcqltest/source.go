package rxcqltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// SourcePlace is a source of rows of type T, and what is to be known of it.
type SourcePlace[T any] struct {
	// Stream makes the source as it gives so many rows, the numbers from 0: none, one, or
	// up to 60. It is called more than once for a job, as other processes would, which
	// goes on with the same rows.
	Stream func(rows int) rxcql.Stream[T]

	// Number is which row it is.
	Number func(row T) int

	// Unordered: rows of a part come in an order of their own.
	Unordered bool

	// Unmetered: pages are charged with nothing (flow.Input.Unmetered). The rule about what they are
	// charged with is not tried.
	Unmetered bool

	// Fails makes the source as it gives so many rows and then fails, and returns the error that
	// the run's has to wrap too; nil for any. If Fails is nil, the rule about that is not tried.
	Fails func(rows int) (rxcql.Stream[T], error)

	// Stalls makes the source as it gives so many rows and then waits for more, which
	// never come. If it is nil, the rules about that are not tried.
	Stalls func(rows int) rxcql.Stream[T]

	// IgnoreGoroutines are functions of goroutines that may go on, because they are not
	// the source's; see SinkPlace.
	IgnoreGoroutines []string
}

// TestSource tests a source: that it keeps the rules of flow.Observer, flow.Page, flow.Position
// and flow.Reservation. It calls place for each rule. The rule about jobs with a checkpoint is not
// tried on a source that cannot be part of one.
func TestSource[T any](t *testing.T, place func(t testing.TB) SourcePlace[T]) {
	t.Helper()
	run(t, sourceRules[T](), place)
}

func sourceRules[T any]() (rules []rule[SourcePlace[T]]) {
	rules = append(rules, readingRules[T]()...)
	rules = append(rules, callRules(func(_ testing.TB, p SourcePlace[T]) subject[T] {
		return subject[T]{stream: p.Stream(jobRows), ignored: p.IgnoreGoroutines}
	})...)
	rules = append(rules, waitingRules[T]()...)
	return append(rules, rule[SourcePlace[T]]{
		"A job that is broken off again and again goes on behind the pages that are settled", sourceBrokenOff[T],
	})
}

// sourceRun is one run of a source.
type sourceRun[T any] struct {
	trial[T]
	place  SourcePlace[T]
	rows   []T
	counts map[int]int
	said   []flow.Advance
}

func (p SourcePlace[T]) newRun(stream rxcql.Stream[T]) *sourceRun[T] {
	r := &sourceRun[T]{place: p, counts: map[int]int{}}
	r.stream = stream
	r.took = func(rows []T, said flow.Advance) {
		r.rows = append(r.rows, rows...)
		for _, row := range rows {
			r.counts[p.Number(row)]++
		}
		r.said = append(r.said, said)
	}
	return r
}

// hasOnce fails the test unless the rows have come, each once.
func (r *sourceRun[T]) hasOnce(t testing.TB, rows int) {
	t.Helper()
	for n := range rows {
		if r.counts[n] != 1 {
			t.Fatalf("of %d rows number %d has come %d times, and not once", rows, n, r.counts[n])
		}
	}
	if len(r.counts) > rows {
		t.Fatalf("of %d rows %d have come", rows, len(r.counts))
	}
}

// waitingRules are about sources that fail or wait.
func waitingRules[T any]() []rule[SourcePlace[T]] {
	return []rule[SourcePlace[T]]{
		{"An error of the source ends the run, and Done is not called", func(t testing.TB, p SourcePlace[T]) {
			need(t, p.Fails != nil, "Fails")
			for _, rows := range []int{0, 1, jobRows / 2} {
				stream, want := p.Fails(rows)
				r := p.newRun(stream)
				rep, err := r.run(t.Context(), t)
				if err == nil || want != nil && !errors.Is(err, want) {
					t.Fatalf("a run whose source failed after %d rows returned %v, not the reason for that", rows, err)
				}
				var stage *rxcql.StageError
				if !errors.As(err, &stage) {
					t.Fatalf("the error of a source is no StageError, which would name it: %v; see Stage.Fail", err)
				}
				if r.seen.dones > 0 {
					t.Fatalf("the source failed after %d rows, and Done was called, as if that were all", rows)
				}
				givenBack(t, rep, "a run whose source failed")
			}
		}},
		{"A source that waits for rows is ended by a cancel", func(t testing.TB, p SourcePlace[T]) {
			need(t, p.Stalls != nil, "Stalls")
			r := p.newRun(p.Stalls(pageRows))
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r.whenTaken(pageRows, func() { cancel(errCutOff) })
			rep, err := r.run(ctx, t)
			if !errors.Is(err, errCutOff) {
				t.Fatalf("a run that was cancelled while the source waited returned %v, not the reason for that", err)
			}
			givenBack(t, rep, "a run that was cancelled while the source waited")
		}},
		{"A source that waits for rows is ended by Stop", func(t testing.TB, p SourcePlace[T]) {
			need(t, p.Stalls != nil, "Stalls")
			r := p.newRun(p.Stalls(pageRows))
			r.whenTaken(pageRows, func() { r.pipeline.Stop() })
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run that was stopped while the source waited")
			if rep.EndedBy != rxcql.EndedByStop || !r.seen.stopped || rep.PagesSettled != rep.Pages {
				t.Fatalf("the run was ended by %q, Done says that reading was stopped: %v, and %d of %d pages are settled",
					rep.EndedBy, r.seen.stopped, rep.PagesSettled, rep.Pages)
			}
			r.hasOnce(t, pageRows)
			givenBack(t, rep, "a run that was stopped while the source waited")
		}},
	}
}

// whenTaken calls fn soon after so many rows have been taken.
func (r *sourceRun[T]) whenTaken(rows int, fn func()) {
	take := r.took
	r.took = func(page []T, said flow.Advance) {
		before := len(r.rows)
		take(page, said)
		if before < rows && len(r.rows) >= rows {
			time.AfterFunc(5*time.Millisecond, fn) // when the source waits again
		}
	}
}
