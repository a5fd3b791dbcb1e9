package rxcqltest

import (
	"errors"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// isBad says which rows are bad in a run of the suite: three of them.
func isBad(n int) bool { return n%partRows == 7 }

// badRowRules are about rows that a sink cannot take.
func badRowRules[T any]() []rule[SinkPlace[T]] {
	return []rule[SinkPlace[T]]{
		{"A row that the sink cannot take ends the run with a RowError that has its place", func(t testing.TB, p SinkPlace[T]) {
			need(t, p.Bad != nil, "Bad")
			r := p.newRun()
			r.bad = isBad
			rep, err := r.run(t.Context(), t)
			var row *rxcql.RowError
			if !errors.As(err, &row) {
				t.Fatalf("the run returned %v, which is no RowError", err)
			}
			if !p.Repages && (row.Page != 7/pageRows || row.Row != 7%pageRows) {
				t.Fatalf("the error says page %d, row %d, and it was page %d, row %d", row.Page, row.Row, 7/pageRows, 7%pageRows)
			}
			if rep.PagesSettled == rep.Pages {
				t.Fatalf("all pages are settled, though a row of one could not be written")
			}
		}},
		{"Under SkipRows a row that the sink cannot take is left out alone", func(t testing.TB, p SinkPlace[T]) {
			need(t, p.Bad != nil, "Bad")
			rep := p.runWithBad(t, rxcql.SkipRows(1000))
			if rep.Skipped != jobParts*p.copies() {
				t.Fatalf("the report says that %d rows were skipped, and %d could not be written", rep.Skipped, jobParts*p.copies())
			}
		}},
		{"Under DeadLetter a row that the sink cannot take becomes a letter with the row", func(t testing.TB, p SinkPlace[T]) {
			need(t, p.Bad != nil, "Bad")
			letters := &jobtest.Letters{}
			rep := p.runWithBad(t, rxcql.DeadLetter(letters))
			if all := int64(len(letters.All)); all != jobParts*p.copies() || rep.DeadLettered != all {
				t.Fatalf("there are %d letters (%d in the report), and %d rows could not be written", all, rep.DeadLettered, jobParts*p.copies())
			}
			for _, l := range letters.All {
				if l.Type == "" || string(l.Row) == "null" {
					t.Fatalf("letter %d has no row; keep rows if Stage.WantsFailedRows reports true", l.N)
				}
				if !p.Repages && (l.Page != 7/pageRows || l.Index != 7%pageRows) {
					t.Fatalf("letter %d is of page %d, row %d, and it was page %d, row %d", l.N, l.Page, l.Index, 7/pageRows, 7%pageRows)
				}
			}
		}},
	}
}

// runWithBad runs with some bad rows, which the policy leaves out.
func (p SinkPlace[T]) runWithBad(t testing.TB, policy rxcql.RowErrorPolicy) rxcql.Report {
	t.Helper()
	r := p.newRun()
	r.bad = isBad
	r.opts = append(r.opts, rxcql.WithRowErrors(policy))
	rep, err := r.run(t.Context(), t)
	must(t, err, "a run with rows that are left out")
	r.ended(t, rep)
	if !rep.Complete || rep.PagesSettled != rep.Pages {
		t.Fatalf("%d of %d pages are settled, and the run is complete: %v", rep.PagesSettled, rep.Pages, rep.Complete)
	}
	there := p.counts()
	for n := range jobRows {
		if !isBad(n) && there[n] != 1 {
			t.Fatalf("row %d, which is good, is there %d times", n, there[n])
		}
		if isBad(n) && there[n] != 0 {
			t.Fatalf("row %d, which is bad, was written", n)
		}
	}
	return rep
}
