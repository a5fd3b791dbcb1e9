package rxcqltest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// paged is a script of so many rows, the numbers from 0, in pages that come from each of the
// parts by turns. Behind a page no row comes that is less than its watermark, in seconds. The last
// page of each part has no rows.
func paged(rows int) *Script[int] {
	s := NewScript[int]().Name("Numbers")
	for from := 0; from < partRows; from += pageRows {
		for part := range jobParts {
			page := []int{}
			for n := part*partRows + from; n < min(rows, part*partRows+from+pageRows); n++ {
				page = append(page, n)
			}
			if len(page) > 0 || from == 0 && part == 0 {
				s.Part(part).Page(page...).Watermark(eventTime(part*partRows + from + len(page)))
			}
		}
	}
	for part := range jobParts {
		if part*partRows < rows {
			s.Part(part).Page().Watermark(eventTime((part + 1) * partRows))
		}
	}
	return s
}

// pagedLarge is paged with pages that together take nearly twice the least budget.
func pagedLarge() *Script[int] {
	script := paged(jobRows)
	for i := range script.steps {
		script.steps[i].bytes = largePage
	}
	return script
}

// eventTime is when row number n happened.
func eventTime(n int) time.Time { return time.Unix(int64(n), 0) }

// operatorRun is one run of an operator.
type operatorRun[A, B any] struct {
	trial[B]
	place OperatorPlace[A, B]

	opening []flow.Advance                      // what is said before the first page
	closing []flow.Advance                      // and behind the last one
	cut     int                                 // the input is ended early behind so many pages; 0 if it is not
	spoils  bool                                // rows are overwritten when Next has returned
	before  func(ctx context.Context, rows int) // after so many rows, before a page; may be nil

	pages   []handed
	changed string      // a page of rows that were not as they had been when Next returned
	rows    []B         // that have come out
	order   []int       // their numbers
	counts  map[int]int // how often each row in has come out
}

func (p OperatorPlace[A, B]) newRun(script *Script[int]) *operatorRun[A, B] {
	return p.runOf(script.Stream())
}

// runOf is a run over a source of numbers.
func (p OperatorPlace[A, B]) runOf(numbers rxcql.Stream[int]) *operatorRun[A, B] {
	r := &operatorRun[A, B]{place: p, counts: map[int]int{}}
	r.stream = p.Operator(rxcql.Lift(numbers, rxcql.StageInfo{Name: "Rows", OneToOne: true},
		func(st *rxcql.Stage, out flow.Observer[A]) flow.Observer[int] {
			return &feeding[A, B]{operatorRun: r, next: out, account: st.Account(true), opening: r.opening, cut: r.cut}
		}))
	r.took = func(rows []B, _ flow.Advance) {
		r.rows = append(r.rows, rows...)
		for _, n := range p.numbers(rows) {
			r.order = append(r.order, n)
			r.counts[n]++
		}
	}
	return r
}

// numbers are those of the rows in that rows out are made of, as far as there are such.
func (p OperatorPlace[A, B]) numbers(rows []B) (all []int) {
	for _, row := range rows {
		for _, n := range p.From(row) {
			if n >= 0 && n < jobRows {
				all = append(all, n)
			}
		}
	}
	return all
}

// attached skips a rule that is not tried on an operator that is detached.
func (p OperatorPlace[A, B]) attached(t testing.TB) {
	t.Helper()
	if !p.Detached {
		return
	}
	marked := func(info rxcql.StageInfo) bool { return info.NotResumable }
	if !slices.ContainsFunc(p.newRun(paged(0)).stream.Stages(), marked) {
		t.Fatalf("the operator is detached, and a job would not come back to rows that it has lost: mark it by StageInfo.NotResumable")
	}
	t.Skip("this rule was not tried: the operator is detached")
}

// feeding is the operator before the one that is tried.
type feeding[A, B any] struct {
	*operatorRun[A, B]
	next    flow.Observer[A]
	account *flow.Account
	read    int
	opening []flow.Advance // not said yet
	cut     int            // pages until the input is ended
	over    bool           // it has been
}

func (o *feeding[A, B]) Demand() int64 { return flow.DemandOf(o.next) }

// say hands on what is said in pages without rows.
func (o *feeding[A, B]) say(ctx context.Context, said ...flow.Advance) error {
	var all flow.Advances
	for _, a := range said {
		all.Add(a)
	}
	return flow.Tell(ctx, o.account, &all, o.next)
}

// endedEarly reports whether the input has been ended early, and says so once.
func (o *feeding[A, B]) endedEarly(ctx context.Context, source *flow.Origin) (bool, error) {
	if o.operatorRun.cut == 0 {
		return false, nil
	}
	if o.cut--; o.cut >= 0 || o.over {
		return o.over, nil
	}
	o.over = true
	return true, o.say(ctx, flow.Ends(source))
}

func (o *feeding[A, B]) Next(ctx context.Context, p *flow.Page[int]) error {
	if over, err := o.endedEarly(ctx, p.Source); over || err != nil {
		return err
	}
	if err := o.say(ctx, o.opening...); err != nil {
		return err
	}
	o.opening = nil
	if o.before != nil {
		o.before(ctx, o.read)
	}
	o.read += len(p.Rows)
	rows, same := make([]A, len(p.Rows)), make([]A, len(p.Rows))
	for i, n := range p.Rows {
		rows[i], same[i] = o.place.Row(n), o.place.Row(n)
	}
	h := handed{rows: slices.Clone(p.Rows), receipt: flow.NewReceipt(nil)}
	p.AddReceipt(h.receipt)
	o.pages = append(o.pages, h)
	err := o.next.Next(ctx, flow.Derive(p, rows))
	if !reflect.DeepEqual(rows, same) && o.changed == "" {
		o.changed = fmt.Sprintf("%+v, and %+v when Next returned", same, rows)
	}
	if o.spoils {
		for i := range rows {
			rows[i] = o.place.Row(1_000_000 + i)
		}
	}
	return err
}

func (o *feeding[A, B]) Done(ctx context.Context, stopped bool) error {
	if err := o.say(ctx, o.closing...); err != nil {
		return err
	}
	return o.next.Done(ctx, stopped)
}

// owes reports whether a row has not come out as often as it is to.
func (r *operatorRun[A, B]) owes(n int) bool {
	return !r.place.drops(n) && r.counts[n] < r.place.copies()
}

// ended fails the test if the run has left bytes of the budget, or has settled a page of which a
// row has not come out.
func (r *operatorRun[A, B]) ended(t testing.TB, rep rxcql.Report, after string) {
	t.Helper()
	givenBack(t, rep, after)
	if r.place.Ends || r.place.Detached {
		return
	}
	for _, h := range r.pages {
		for _, n := range h.rows {
			if h.receipt.Settled() && r.owes(n) {
				t.Fatalf("after %s a page is settled, and row %d of it has not come out", after, n)
			}
		}
	}
}

// hasAll fails the test unless of so many rows all have come out.
func (r *operatorRun[A, B]) hasAll(t testing.TB, rows int) {
	t.Helper()
	for n := range rows {
		want := r.place.copies()
		if r.place.drops(n) {
			want = 0
		}
		if r.counts[n] != want && !r.place.Ends {
			t.Fatalf("of %d rows number %d has come out %d times, and not %d", rows, n, r.counts[n], want)
		}
	}
}
