package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// streamStages is how many stages of a report come before those of the sink.
const streamStages = 2

// sinkRun is one run into a sink.
type sinkRun[T any] struct {
	place SinkPlace[T]
	sink  rxcql.Sink[T]
	src   *jobtest.Parts[int]
	opts  []rxcql.Option

	bad       func(n int) bool                                       // rows that the sink cannot take; may be nil
	watches   bool                                                   // checks before each page what is settled
	spoils    bool                                                   // rows are overwritten when Write has returned
	endsCall  bool                                                   // the context of a call ends with it
	unwatched bool                                                   // pages have no receipts of the suite
	marks     bool                                                   // pages have watermarks
	bytes     int64                                                  // of each page; 0 for as many as it has rows
	before    func(ctx context.Context, p *rxcql.Pipeline, rows int) // called before a page, with the number of rows so far; may be nil
	fails     func(rows int) error                                   // likewise; its error ends the stream
	flushed   func(t testing.TB, pages []handed)                     // called when Flush has returned nil; may be nil

	pipeline *rxcql.Pipeline
	pages    []handed
	early    string // what was settled and not durable
	changed  string // what a page no longer said after it had been written
}

// handed is a page that was handed to the sink.
type handed struct {
	rows    []int
	receipt *flow.Receipt
}

func (p SinkPlace[T]) newRun() *sinkRun[T] {
	return &sinkRun[T]{place: p, sink: p.Sink(), src: numbered()}
}

// run runs the pipeline. If something is wrong with it, the test ends.
func (r *sinkRun[T]) run(ctx context.Context, t testing.TB) (rep rxcql.Report, err error) {
	t.Helper()
	rows := rxcql.Lift(r.src.Stream(), rxcql.StageInfo{Name: "Rows", OneToOne: true},
		func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[int] {
			return &handing[T]{sinkRun: r, out: out, t: t}
		})
	r.pipeline, err = rxcql.New(rows, r.sink, r.opts...)
	if errors.Is(err, rxcql.ErrNotResumable) {
		t.Skipf("this rule was not tried: the sink cannot be part of a job: %v", err)
	}
	must(t, err, "rxcql.New")
	within(t, "Run", func() { rep, err = r.pipeline.Run(ctx) })
	return rep, err
}

// handing is the operator before the sink.
type handing[T any] struct {
	*sinkRun[T]
	out  flow.Observer[T]
	t    testing.TB
	rows int
}

func (o *handing[T]) Next(ctx context.Context, p *flow.Page[int]) error {
	o.watch()
	if o.before != nil {
		o.before(ctx, o.pipeline, o.rows)
	}
	if o.fails != nil {
		if err := o.fails(o.rows); err != nil {
			return err
		}
	}
	o.rows += len(p.Rows)
	rows := make([]T, len(p.Rows))
	for i, n := range p.Rows {
		if o.bad != nil && o.bad(n) {
			rows[i] = o.place.Bad(n)
		} else {
			rows[i] = o.place.Row(n)
		}
	}
	if !o.unwatched {
		h := handed{rows: slices.Clone(p.Rows), receipt: flow.NewReceipt(nil)}
		p.AddReceipt(h.receipt)
		o.pages = append(o.pages, h)
	}
	call, end := ctx, context.CancelFunc(func() {})
	if o.endsCall {
		call, end = context.WithCancel(ctx)
	}
	if o.bytes > 0 {
		p.Resize(o.bytes)
	}
	if o.marks {
		p.Watermark, p.Idle = flow.WatermarkAt(time.Unix(int64(o.rows), 0)), flow.IdleAt(time.Unix(int64(o.rows), 0))
	}
	said := p.Advance()
	err := o.out.Next(call, flow.Derive(p, rows))
	end()
	if now := p.Advance(); now != said {
		o.changed = fmt.Sprintf("a page said %+v, and %+v when Write had returned", said, now)
	}
	if o.spoils {
		for i := range rows {
			rows[i] = o.place.Row(1_000_000 + i)
		}
	}
	return err
}

func (o *handing[T]) Done(ctx context.Context, stopped bool) error {
	o.watch()
	err := o.out.Done(ctx, stopped)
	o.watch()
	if err == nil && o.flushed != nil {
		o.flushed(o.t, o.pages)
	}
	return err
}

func (r *sinkRun[T]) watch() {
	if r.watches {
		r.settledEarly()
	}
}

// settledEarly notes a page that is settled while a row of it is not durable. Rows that the sink
// cannot take are not counted.
func (r *sinkRun[T]) settledEarly() {
	var done []handed
	for _, h := range r.pages {
		if h.receipt.Settled() {
			done = append(done, h)
		}
	}
	if len(done) == 0 || r.early != "" {
		return
	}
	there := r.place.counts()
	for _, h := range done {
		for _, n := range h.rows {
			if there[n] == 0 && (r.bad == nil || !r.bad(n)) {
				r.early = fmt.Sprintf("a page was settled while row %d of it was not durable", n)
				return
			}
		}
	}
}

// ended fails the test if the run has left bytes of the budget, or has settled a page that is not
// durable.
func (r *sinkRun[T]) ended(t testing.TB, rep rxcql.Report) {
	t.Helper()
	if rep.BytesInFlight != 0 {
		t.Fatalf("after the run %d bytes of the budget were not given back", rep.BytesInFlight)
	}
	r.settledEarly()
	if r.early != "" {
		t.Fatal(r.early)
	}
}
