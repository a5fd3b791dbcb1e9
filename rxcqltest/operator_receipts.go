package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/saved"
)

// receiptRules are about what is settled, and when.
func receiptRules[A, B any]() []rule[OperatorPlace[A, B]] {
	return []rule[OperatorPlace[A, B]]{
		{"A page is settled when all that was made of it is, and not before", func(t testing.TB, p OperatorPlace[A, B]) {
			p.attached(t)
			r := p.newRun(paged(jobRows))
			r.holds = true
			early := [][]int(nil)
			r.atDone = func(context.Context) error {
				early = r.settledAt()
				return nil
			}
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run with a sink that writes at its end")
			givenBack(t, rep, "a run with a sink that writes at its end")
			if len(early) > 0 && !p.Ends {
				t.Fatalf("the page with the rows %v was settled before what was made of it: take their share of its reservation", early[0])
			}
			if rep.PagesSettled != rep.Pages {
				t.Fatalf("%d of %d pages are settled", rep.PagesSettled, rep.Pages)
			}
		}},
		{"An error of the stream ends it, and Done is not called", func(t testing.TB, p OperatorPlace[A, B]) {
			for _, rows := range []int{0, 1, jobRows / 2, jobRows} {
				r := p.newRun(paged(rows).Fail(errSource))
				if rows == 0 {
					r = p.newRun(NewScript[int]().Name("Numbers").Fail(errSource))
				}
				_, err := r.run(t.Context(), t)
				if r.place.Ends && err == nil {
					continue
				}
				if !errors.Is(err, errSource) {
					t.Fatalf("a run whose source failed after %d rows returned %v, not the reason for that", rows, err)
				}
				if r.seen.dones > 0 {
					t.Fatalf("the source failed after %d rows, and Done was called, as if that were all", rows)
				}
			}
		}},
		{"After an error or a cancel everything is given back, and no row is settled that has not come out", func(t testing.TB, p OperatorPlace[A, B]) {
			for _, rows := range []int{1, jobRows / 2, jobRows} {
				r := p.newRun(paged(rows).Fail(errSource))
				rep, _ := r.run(t.Context(), t)
				r.ended(t, rep, fmt.Sprintf("an error behind %d rows", rows))

				r = p.newRun(paged(jobRows))
				ctx, cancel := context.WithCancelCause(t.Context())
				r.before = func(_ context.Context, read int) {
					if read >= rows {
						cancel(errCutOff)
					}
				}
				rep, err := r.run(ctx, t)
				cancel(nil)
				r.ended(t, rep, fmt.Sprintf("a cancel behind %d rows", rows))
				if err == nil && r.came < jobRows && !p.Ends {
					t.Fatalf("a run that was cancelled returned no error, as if that were all, and %d of %d rows had been read", r.came, jobRows)
				}
			}
		}},
		{"After Stop no row is settled that has not come out, and Done says so", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(paged(jobRows))
			r.before = func(_ context.Context, read int) {
				if read >= jobRows/2 {
					r.pipeline.Stop()
				}
			}
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run that was stopped")
			r.ended(t, rep, "a run that was stopped")
			if rep.EndedBy == rxcql.EndedByStop && r.seen.dones > 0 && !r.seen.stopped {
				t.Fatalf("reading was stopped, and Done says that it was not")
			}
		}},
	}
}

// operatorBrokenOff breaks a job off in several ways, has it complete, and looks at each
// checkpoint whether what it counts as settled has come out.
func operatorBrokenOff[A, B any](t testing.TB, p OperatorPlace[A, B]) {
	src := numbered()
	var mu sync.Mutex
	out, passed := map[int]int{}, ""
	owes := func(n int) bool { return !p.drops(n) && out[n] < p.copies() }
	store := &savedStates{seen: func(state *saved.State) error {
		state.Sources = slices.DeleteFunc(slices.Clone(state.Sources), func(s saved.Source) bool {
			return s.Stage != src.Name // that the operator has brought along
		})
		rows, err := settled(src, state)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, n := range rows {
			if owes(n) && passed == "" {
				passed = fmt.Sprintf("a checkpoint counts row %d as settled, and it has not come out", n)
			}
		}
		return nil
	}}
	for run := 0; ; run++ {
		cutAt := run * pageRows
		last := cutAt > jobRows
		r := p.runOf(src.Stream())
		r.took = func(rows []B, _ flow.Advance) {
			mu.Lock()
			defer mu.Unlock()
			for _, n := range p.numbers(rows) {
				out[n]++
			}
		}
		r.opts = append(r.opts, rxcql.WithCheckpoint(store, anyJob, rxcql.CheckpointInterval(10*time.Millisecond)))
		ctx, cancel := context.WithCancelCause(t.Context())
		r.before = func(_ context.Context, read int) {
			time.Sleep(3 * time.Millisecond) // so that there are saves meanwhile
			switch {
			case last || read < pageRows || r.pages == nil:
			case run%2 == 0:
				r.pipeline.Stop()
			default:
				cancel(errCutOff)
			}
		}
		rep, err := r.run(ctx, t)
		cancel(nil)
		mu.Lock()
		if passed != "" && !p.Ends {
			t.Fatalf("in run %d of the job: %s", run, passed)
		}
		mu.Unlock()
		givenBack(t, rep, fmt.Sprintf("run %d of a job", run))
		if err != nil && !slices.ContainsFunc([]error{errCutOff, errSource, errKilled}, func(e error) bool { return errors.Is(err, e) }) {
			t.Fatalf("run %d of the job failed: %v", run, err)
		}
		if rep.Complete || p.Ends && err == nil {
			break
		}
		if last {
			t.Fatalf("the last run of the job is not complete: %v", err)
		}
	}
	for n := range jobRows {
		if owes(n) && !p.Ends {
			t.Fatalf("the job is complete, and row %d has not come out", n)
		}
	}
}
