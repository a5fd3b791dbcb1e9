package rxcqltest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// rowRules are about the rows that come out.
func rowRules[A, B any]() []rule[OperatorPlace[A, B]] {
	return []rule[OperatorPlace[A, B]]{
		{"Each row comes out as often as it is to, in the order of its part", func(t testing.TB, p OperatorPlace[A, B]) {
			for _, rows := range []int{0, 1, 2, pageRows, partRows, jobRows} {
				r := p.newRun(paged(rows))
				rep, err := r.run(t.Context(), t)
				must(t, err, "a run in which nothing goes wrong")
				givenBack(t, rep, "a run in which nothing goes wrong")
				r.hasAll(t, rows)
				last := [jobParts]int{}
				for _, n := range r.order {
					part := n / partRows
					if n < last[part] && !p.Unordered {
						t.Fatalf("row %d has come out behind row %d, which is of the same part", n, last[part])
					}
					last[part] = n
				}
			}
		}},
		{"A stream is a description, and may be run again", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(paged(jobRows))
			_, err := r.run(t.Context(), t)
			must(t, err, "the first run")
			first := len(r.order) // rows in: how many rows are made of them may depend on time
			_, err = r.run(t.Context(), t)
			must(t, err, "the second run of a stream")
			if second := len(r.order) - first; second != first {
				t.Fatalf("in the first run %d of the rows came out, and in the second %d", first, second)
			}
		}},
		{"Rows that come in are left as they are", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(paged(jobRows))
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			if r.changed != "" {
				t.Fatalf("the operator has changed rows, which others are given too: they were %s", r.changed)
			}
		}},
		{"Rows that are needed after Next are copied", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(paged(jobRows))
			r.spoils = true
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which pages are used again")
			r.hasAll(t, jobRows)
		}},
		{"What goes on after Next does not use its context", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(paged(jobRows))
			r.endsCall = true
			r.at = func(w *watching[B]) error {
				if w.ctx.Err() != nil {
					return errRefused
				}
				return nil
			}
			_, err := r.run(t.Context(), t)
			if errors.Is(err, errRefused) {
				t.Fatalf("a page was handed on with the context of a call of Next that had returned: give each call the context of the one that it is made in")
			}
			must(t, err, "a run in which the context of each Next ends with it")
			r.hasAll(t, jobRows)
		}},
		{"A stream may be read twice at the same time", readTwice[A, B]},
		{"A row that has come out does not change any more", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(paged(jobRows))
			_, err := r.run(t.Context(), t)
			must(t, err, "a run in which nothing goes wrong")
			counts := map[int]int{}
			for _, n := range p.numbers(r.rows) {
				counts[n]++
			}
			for n, was := range r.counts {
				if counts[n] != was {
					t.Fatalf("row %d had come out %d times, and is in the rows that came out %d times when the run has ended: copy what a row refers to",
						n, was, counts[n])
				}
			}
		}},
		{"With the least budget and a consumer that is slow the stream comes to its end", func(t testing.TB, p OperatorPlace[A, B]) {
			r := p.newRun(pagedLarge())
			inputs := int64(0)
			for _, stage := range r.stream.Stages() {
				if stage.Source {
					inputs++
				}
			}
			r.slow = time.Millisecond
			r.opts = append(r.opts, rxcql.WithBudget(inputs*rxcql.MinBudgetPerInput))
			rep, err := r.run(t.Context(), t)
			if p.Gathers && errors.Is(err, rxcql.ErrBudgetHeld) {
				r.ended(t, rep, "a run with less budget than the rows take")
				return
			}
			must(t, err, "a run with the least budget")
			r.ended(t, rep, "a run with the least budget")
			r.hasAll(t, jobRows)
		}},
		{"Rows that are kept from page to page are charged to the budget", keptRowsAreCharged[A, B]},
	}
}

// readTwice reads a stream in two runs at once, by turns: each knows nothing of the other.
func readTwice[A, B any](t testing.TB, p OperatorPlace[A, B]) {
	pause := NewScript[int]().Delay(time.Millisecond).steps
	script := paged(jobRows)
	steps := script.steps
	script.steps = nil
	for _, step := range steps {
		script.steps = append(append(script.steps, pause...), step)
	}
	s := p.Operator(rxcql.Lift(script.Stream(), rxcql.StageInfo{Name: "Rows", OneToOne: true},
		func(_ *rxcql.Stage, out flow.Observer[A]) flow.Observer[int] {
			return &making[A]{Observer: out, row: p.Row}
		}))
	var runs [2]operatorRun[A, B]
	var errs [2]error
	var both sync.WaitGroup
	within(t, "a stream that is read twice at once", func() {
		for i := range runs {
			runs[i].place, runs[i].counts = p, map[int]int{}
			both.Go(func() {
				_, errs[i] = s.ForEach(t.Context(), func(row B) error {
					for _, n := range p.numbers([]B{row}) {
						runs[i].counts[n]++
					}
					return nil
				})
			})
		}
		both.Wait()
	})
	for i := range runs {
		must(t, errs[i], "a run next to another of the same stream")
		runs[i].hasAll(t, jobRows)
	}
}

// making makes rows of their numbers.
type making[A any] struct {
	flow.Observer[A]
	row func(n int) A
}

func (m *making[A]) Next(ctx context.Context, p *flow.Page[int]) error {
	rows := make([]A, len(p.Rows))
	for i, n := range p.Rows {
		rows[i] = m.row(n)
	}
	return m.Observer.Next(ctx, flow.Derive(p, rows))
}

// keptRowsAreCharged looks, whenever a page comes, whether rows that came before and have not come
// out are in the budget.
func keptRowsAreCharged[A, B any](t testing.TB, p OperatorPlace[A, B]) {
	if p.Folds || p.Detached || p.Ends {
		t.Skip("this rule was not tried: the operator folds rows, ends the stream, or is detached")
	}
	r := p.newRun(pagedLarge())
	var mu sync.Mutex // rows may come out in another goroutine
	out := map[int]int{}
	take := r.took
	r.took = func(rows []B, said flow.Advance) {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range p.numbers(rows) {
			out[n]++
		}
		take(rows, said)
	}
	uncharged := 0
	r.before = func(context.Context, int) {
		mu.Lock()
		defer mu.Unlock()
		kept := 0
		for _, page := range r.pages {
			for _, n := range page.rows {
				if !p.drops(n) && out[n] < p.copies() {
					kept++
				}
			}
		}
		if charged := r.pipeline.Progress().BytesInFlight - largePage; kept > 0 && charged <= 0 {
			uncharged = max(uncharged, kept)
		}
	}
	_, err := r.run(t.Context(), t)
	must(t, err, "a run in which nothing goes wrong")
	if uncharged > 0 {
		t.Fatalf("%d rows were kept when the next page came, and none of their bytes was charged: take them from the page (flow.Reservation.Take)", uncharged)
	}
}

// settledAt are the pages that are settled and have rows that are to come out.
func (r *operatorRun[A, B]) settledAt() (pages [][]int) {
	for _, h := range r.pages {
		if h.receipt.Settled() && slices.ContainsFunc(h.rows, func(n int) bool { return !r.place.drops(n) }) {
			pages = append(pages, h.rows)
		}
	}
	return pages
}
