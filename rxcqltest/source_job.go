package rxcqltest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// sourceBrokenOff breaks a job off at one page after the other, has it complete, and looks at
// each run whether it goes on where the one before has left it.
func sourceBrokenOff[T any](t testing.TB, p SourcePlace[T]) {
	store := &savedStates{}
	settled := map[int]bool{}
	for run := 0; ; run++ {
		last := run > 2*jobRows
		r := p.newRun(p.Stream(jobRows))
		r.opts = append(r.opts, rxcql.WithCheckpoint(store, anyJob))
		r.holds = run%3 == 1 // a run in which nothing is settled, unless it comes to its end
		ctx, cancel := context.WithCancelCause(t.Context())
		var pages []handed
		r.at = func(w *watching[T]) error {
			switch {
			case last || w.pages == 0:
			case run%3 == 2:
				r.pipeline.Stop()
			default:
				cancel(errCutOff)
				return errCutOff
			}
			return nil
		}
		r.sees = func(p *flow.Page[T]) {
			h := handed{receipt: flow.NewReceipt(nil)}
			for _, row := range p.Rows {
				h.rows = append(h.rows, r.place.Number(row))
			}
			p.AddReceipt(h.receipt)
			pages = append(pages, h)
		}
		rep, err := r.run(ctx, t)
		cancel(nil)
		if err != nil && !errors.Is(err, errCutOff) {
			t.Fatalf("run %d of the job failed: %v", run, err)
		}
		if rep.ResumedRows != int64(len(settled)) {
			t.Fatalf("run %d of the job went on after %d rows, and %d had been settled", run, rep.ResumedRows, len(settled))
		}
		for _, h := range pages {
			if n := slices.IndexFunc(h.rows, func(n int) bool { return settled[n] }); n >= 0 {
				t.Fatalf("run %d of the job has read row %d, which had been settled", run, h.rows[n])
			}
		}
		for _, h := range pages {
			for _, n := range h.rows {
				settled[n] = settled[n] || h.receipt.Settled()
				if !settled[n] {
					delete(settled, n)
				}
			}
		}
		givenBack(t, rep, "a run of a job that was broken off")
		if rep.Complete {
			break
		}
		if last {
			t.Fatalf("the last run of the job is not complete: %v", err)
		}
	}
	for n := range jobRows {
		if !settled[n] {
			t.Fatalf("the job is complete, and row %d has not been settled", n)
		}
	}
}
