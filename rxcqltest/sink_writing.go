package rxcqltest

import (
	"context"
	"testing"

	"github.com/rxcql/rxcql"
)

// largePage is so many bytes that all pages of a run take nearly twice the least budget.
const largePage = 8 << 10

// writingRules are about runs in which nothing goes wrong.
func writingRules[T any]() []rule[SinkPlace[T]] {
	return []rule[SinkPlace[T]]{
		{"Until it is opened a sink writes nothing", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.before = func(ctx context.Context, _ *rxcql.Pipeline, rows int) {
				if rows == 0 {
					if there := p.Rows(); len(there) > 0 {
						t.Errorf("before the first page there are %d rows", len(there))
					}
				}
			}
			for range 2 {
				within(t, "Check", func() { must(t, r.sink.Check(t.Context()), "Check") })
			}
			if there := p.Rows(); len(there) > 0 {
				t.Fatalf("after Check there are %d rows", len(there))
			}
			_, err := r.run(t.Context(), t)
			must(t, err, "a run after Check")
			p.hasOnce(t, "after a run")
			within(t, "Check after a run", func() { _ = p.Sink().Check(t.Context()) })
			p.hasOnce(t, "after a Check that followed a run")
			if there := p.Rows(); len(there) > jobRows {
				t.Fatalf("after a run of %d rows there are %d", jobRows, len(there))
			}
		}},
		{"When Flush returns every row is durable and every page is settled", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.flushed = func(t testing.TB, pages []handed) {
				there := p.counts()
				for n := range jobRows {
					if there[n] != 1 {
						t.Errorf("when Flush returned, row %d was there %d times, not once", n, there[n])
					}
				}
				for _, h := range pages {
					if !h.receipt.Settled() {
						t.Errorf("when Flush returned, the page with the rows %v was not settled", h.rows)
					}
				}
			}
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			r.ended(t, rep)
			if !rep.Complete {
				t.Fatalf("the run is not complete")
			}
			p.hasOnce(t, "after the run")
		}},
		{"A page is settled when its rows are durable and not before", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.watches = true
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			r.ended(t, rep)
		}},
		{"Pages without rows are taken and settled", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.src.Empty = true
			r.src.Rows = append(r.src.Rows, nil)
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run with pages without rows")
			if rep.PagesSettled != rep.Pages || rep.EmptyPages == 0 {
				t.Fatalf("%d of %d pages are settled, %d of them without rows", rep.PagesSettled, rep.Pages, rep.EmptyPages)
			}
			p.hasOnce(t, "after the run")
		}},
		{"A page says where it comes from and how far event time has come when Write returns too", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.marks = true
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which pages have watermarks")
			if r.changed != "" {
				t.Fatalf("the sink has changed the page, which others are given too: %s", r.changed)
			}
			p.hasOnce(t, "after a run in which pages have watermarks")
		}},
		{"Rows that are needed after Write are copied", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.spoils = true
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which pages are used again")
			p.hasOnce(t, "after a run in which pages are used again")
		}},
		{"What goes on after Write does not use its context", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.endsCall = true
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which the context of each Write ends with it")
			p.hasOnce(t, "after the run")
		}},
		{"A sink is a description, and may be run again", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			_, err := r.run(t.Context(), t)
			must(t, err, "the first run")
			next := &sinkRun[T]{place: p, sink: r.sink, src: numbered()}
			for _, part := range next.src.Rows {
				for i := range part {
					part[i] += jobRows
				}
			}
			_, err = next.run(t.Context(), t)
			must(t, err, "the second run of a sink")
			there := p.counts()
			for n := jobRows; n < 2*jobRows; n++ {
				if there[n] != 1 {
					t.Fatalf("after the second run, row %d of it is there %d times", n, there[n])
				}
			}
		}},
		{"With the least budget all rows are written", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.bytes = largePage
			r.opts = append(r.opts, rxcql.WithBudget(rxcql.MinBudgetPerInput))
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run with the least budget")
			r.ended(t, rep)
			p.hasOnce(t, "after a run with the least budget")
		}},
		{"The report counts each row that came in and each that was written", func(t testing.TB, p SinkPlace[T]) {
			rep, err := p.newRun().run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			if rep.Written != jobRows*p.copies() {
				t.Fatalf("the report says that %d rows were written, and %d were", rep.Written, jobRows*p.copies())
			}
			whole := false
			for _, st := range rep.Stages[streamStages:] {
				if st.In != st.Out+st.Dropped+st.Skipped+st.DeadLettered {
					t.Errorf("of the %d rows that came into the stage %s it accounts for %d", st.In, st.Name, st.Out+st.Dropped)
				}
				whole = whole || st.In == jobRows
			}
			if !whole {
				t.Fatalf("no stage of the sink says that all rows came in: %+v", rep.Stages[streamStages:])
			}
		}},
		{"After Stop what was read is written", func(t testing.TB, p SinkPlace[T]) {
			r := p.newRun()
			r.before = func(_ context.Context, pipeline *rxcql.Pipeline, rows int) {
				if rows >= jobRows/2 {
					pipeline.Stop()
				}
			}
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run that was stopped")
			r.ended(t, rep)
			there := p.counts()
			for _, h := range r.pages {
				for _, n := range h.rows {
					if there[n] != 1 {
						t.Fatalf("after Stop, row %d, which was read, is there %d times", n, there[n])
					}
				}
			}
			if rep.EndedBy != rxcql.EndedByStop || rep.PagesSettled != rep.Pages {
				t.Fatalf("the run was ended by %q, with %d of %d pages settled", rep.EndedBy, rep.PagesSettled, rep.Pages)
			}
		}},
	}
}
