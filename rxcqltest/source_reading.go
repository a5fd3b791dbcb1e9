package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// readingRules are about what a source gives.
func readingRules[T any]() []rule[SourcePlace[T]] {
	return []rule[SourcePlace[T]]{
		{"Each row comes once, in the order of its part", func(t testing.TB, p SourcePlace[T]) {
			for _, rows := range []int{0, 1, 2, partRows, jobRows} {
				r := p.newRun(p.Stream(rows))
				last := map[flow.PartID]int{}
				take := r.took
				r.took = func(page []T, said flow.Advance) {
					take(page, said)
					for _, row := range page {
						n := p.Number(row)
						if was, known := last[said.PartID()]; known && n < was && !p.Unordered {
							t.Errorf("row %d has come behind row %d, which is of the same part", n, was)
						}
						last[said.PartID()] = n
					}
				}
				rep, err := r.run(t.Context(), t)
				must(t, err, "a run in which nothing goes wrong")
				givenBack(t, rep, "a run in which nothing goes wrong")
				r.hasOnce(t, rows)
			}
		}},
		{"Pages of a part are numbered, and the last one says so", func(t testing.TB, p SourcePlace[T]) {
			for _, rows := range []int{0, 1, jobRows} {
				r := p.newRun(p.Stream(rows))
				_, err := r.run(t.Context(), t)
				must(t, err, "a run in which nothing goes wrong")
				if wrong := wrongPages(r.said); wrong != "" {
					t.Fatalf("of %d rows: %s", rows, wrong)
				}
			}
		}},
		{"A source has as many parts as it says", func(t testing.TB, p SourcePlace[T]) {
			for _, rows := range []int{0, 1, jobRows} {
				r := p.newRun(p.Stream(rows))
				_, err := r.run(t.Context(), t)
				must(t, err, "a run in which nothing goes wrong")
				parts := map[flow.PartID]struct{}{}
				for _, said := range r.said {
					parts[said.PartID()] = struct{}{}
				}
				for part := range parts {
					if n, known := part.Source.Parts(); known && n != len(parts) {
						t.Fatalf("of %d rows: there are pages of %d parts, and the source says that it has %d (Stage.Parts): "+
							"event time would stand still, or run ahead of rows", rows, len(parts), n)
					}
				}
			}
		}},
		{"A page is settled when what follows has settled it, and not before", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			r.holds = true
			early := int64(0)
			r.atDone = func(context.Context) error {
				early = r.pipeline.Progress().PagesSettled
				return nil
			}
			_, err := r.run(t.Context(), t)
			must(t, err, "a run with a sink that writes at its end")
			if early > 0 {
				t.Fatalf("%d pages were settled before what follows had done with them", early)
			}
		}},
		{"A cancel is never taken for the end of the rows", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r.at = func(*watching[T]) error { // all that comes is taken
				cancel(errCutOff)
				return nil
			}
			_, err := r.run(ctx, t)
			if came := len(r.counts); err == nil && came < jobRows {
				t.Fatalf("a run that was cancelled returned no error, as if that were all, and %d of %d rows had come", came, jobRows)
			}
		}},
		{"After Stop Done says that reading was stopped, unless all rows have come", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			r.at = func(w *watching[T]) error {
				w.pipeline.Stop()
				return nil
			}
			_, err := r.run(t.Context(), t)
			must(t, err, "a run that was stopped")
			if came := len(r.counts); came < jobRows && r.seen.dones > 0 && !r.seen.stopped {
				t.Fatalf("reading was stopped after %d of %d rows, and Done says that it was not: what folds would hand on half of it", came, jobRows)
			}
		}},
		{"The report counts each page and each row", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			if rep.ReadRows != jobRows || rep.Pages != int64(len(r.said)) {
				t.Fatalf("%d rows came in %d pages, and the report says %d rows in %d", jobRows, len(r.said), rep.ReadRows, rep.Pages)
			}
		}},
		{"A page is charged to the budget with what its rows weigh", func(t testing.TB, p SourcePlace[T]) {
			if p.Unmetered {
				t.Skip("this rule was not tried: the source is Unmetered")
			}
			size := rxcql.SizeFunc[T]()
			r := p.newRun(p.Stream(jobRows))
			r.sees = func(page *flow.Page[T]) {
				weight := int64(0)
				for i := range page.Rows {
					weight += int64(size(&page.Rows[i]))
				}
				if charged := page.Bytes(); charged < weight/2 { // other ways to estimate are as good
					t.Errorf("a page of %d rows that weigh %d bytes is charged with %d: see Reservation.Resize and rxcql.SizeFunc",
						len(page.Rows), weight, charged)
				}
			}
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
		}},
		{"A row that has come does not change any more", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			counts := map[int]int{}
			for _, row := range r.rows {
				counts[p.Number(row)]++
			}
			for n, was := range r.counts {
				if counts[n] != was {
					t.Fatalf("row %d had come, and is another one when the run has ended: give each row memory of its own", n)
				}
			}
		}},
		{"With the least budget and a consumer that is slow the stream comes to its end", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			r.slow = time.Millisecond
			r.opts = append(r.opts, rxcql.WithBudget(rxcql.MinBudgetPerInput))
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run with the least budget")
			givenBack(t, rep, "a run with the least budget")
			r.hasOnce(t, jobRows)
		}},
		{"A stream is a description that may be run again, or says that it cannot", func(t testing.TB, p SourcePlace[T]) {
			r := p.newRun(p.Stream(jobRows))
			_, err := r.run(t.Context(), t)
			must(t, err, "the first run")
			r.counts = map[int]int{}
			_, err = r.run(t.Context(), t)
			if errors.Is(err, rxcql.ErrSingleRun) {
				return
			}
			must(t, err, "the second run of a stream")
			r.hasOnce(t, jobRows)
		}},
	}
}

// wrongPages is what is wrong with the places of all pages of a run; empty if nothing is.
func wrongPages(pages []flow.Advance) string {
	next, ended := map[flow.PartID]int64{}, map[flow.PartID]bool{}
	for _, said := range pages {
		part := said.PartID()
		switch {
		case said.Source == nil || said.Range < 0:
			return fmt.Sprintf("a page says that it is of no part: mark the stage by StageInfo.Source, and number its parts from 0: %+v", said)
		case ended[part]:
			return fmt.Sprintf("page %d of part %d comes behind its last", said.Page, said.Range)
		case said.Page != next[part]:
			return fmt.Sprintf("page %d of part %d comes where page %d should", said.Page, said.Range, next[part])
		}
		next[part]++
		ended[part] = said.Last
	}
	for part := range next {
		if !ended[part] {
			return fmt.Sprintf("part %d has ended, and its last page does not say so (Position.Last)", part.Range)
		}
	}
	return ""
}
