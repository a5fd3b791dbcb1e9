package rxcql_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// words is a stream without a cluster; source.Table and source.Query make those
// with one.
func words(list ...string) rxcql.Stream[string] {
	return source.Seq(func(yield func(string, error) bool) {
		for _, word := range list {
			if !yield(word, nil) {
				return
			}
		}
	})
}

// printer is a small sink: rows are done with as soon as they are printed, so
// that it keeps nothing, and the engine settles each page.
type printer struct{ st *rxcql.Stage }

func (printer) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (printer) Check(context.Context) error { return nil }

func (printer) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[string], error) {
	return &printer{st: r.SinkStage("Printer")}, nil
}

func (p *printer) Write(_ context.Context, page *flow.Page[string]) error {
	p.st.CountIn(len(page.Rows))
	for _, row := range page.Rows {
		fmt.Println(row)
	}
	p.st.CountWritten(len(page.Rows))
	return nil
}

func (*printer) Flush(context.Context) error { return nil }

func (*printer) Close() error { return nil }

func ExampleNew() {
	p, err := rxcql.New(words("one", "two", "three"), printer{}, rxcql.WithBudget(1<<20))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := p.Run(context.Background())
	fmt.Println(report.Written, report.Complete, err)
	// Output:
	// one
	// two
	// three
	// 3 true <nil>
}

func ExampleNew_mistakes() {
	_, err := rxcql.New(source.Chan[string](nil), printer{}, rxcql.WithWorkers(0))
	fmt.Println(errors.Is(err, rxcql.ErrConfig))
	fmt.Println(err)
	// Output:
	// true
	// rxcql: bad configuration: Chan: the channel is nil
	// WithWorkers(0): must be from 1 to 4096
}

func ExamplePipeline_Stop() {
	ch := make(chan string, 2)
	ch <- "one"
	ch <- "two"
	p, err := rxcql.New(source.Chan(ch), printer{}) // the channel is never closed
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		for p.Progress().Written < 2 {
			time.Sleep(time.Millisecond)
		}
		p.Stop()
	}()
	report, err := p.Run(context.Background())
	fmt.Println(report.EndedBy, report.Complete, err)
	// Output:
	// one
	// two
	// Stop false <nil>
}

func ExamplePipeline_Check() {
	p, err := rxcql.New(words("one"), printer{})
	if err == nil {
		err = p.Check(context.Background()) // the schema only; nothing is read
	}
	fmt.Println(err)
	// Output: <nil>
}

func ExampleStream_All() {
	for word, err := range words("one", "two", "three").All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(word)
		if word == "two" {
			break // stops the reading, and leaves nothing behind
		}
	}
	// Output:
	// one
	// two
}

func ExampleStream_Collect() {
	all, err := words("one", "two").Collect(context.Background())
	fmt.Println(all, err)
	// Output: [one two] <nil>
}

func ExampleStream_Count() {
	n, err := words("one", "two").Count(context.Background())
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleStream_ForEach() {
	report, err := words("one", "two").ForEach(context.Background(), func(word string) error {
		fmt.Println(word)
		return nil
	})
	fmt.Println(report.ReadRows, err)
	// Output:
	// one
	// two
	// 2 <nil>
}

func ExampleStream_Observable() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lengths := words("one", "three").Observable(ctx).
		Map(func(_ context.Context, word any) (any, error) { return len(word.(string)), nil })
	for item := range lengths.Observe() {
		fmt.Println(item.V, item.E)
	}
	// Output:
	// 3 <nil>
	// 5 <nil>
}

func ExampleFromObservable() {
	ctx := context.Background()
	distinct := words("one", "two", "one").Observable(ctx).
		Distinct(func(_ context.Context, word any) (any, error) { return word, nil })
	all, err := source.FromObservable[string](distinct).Collect(ctx)
	fmt.Println(all, err)

	_, err = source.FromObservable[int](distinct).Collect(ctx)
	fmt.Println(err)
	// Output:
	// [one two] <nil>
	// rxcql: stage FromObservable: rxcql: item of another type: got string, want int
}

// ExampleNewStream writes a source: one that reserves bytes for a page before
// it reads it, says what it weighs, and gives it a receipt.
func ExampleNewStream() {
	info := rxcql.StageInfo{Name: "Countdown", Source: true}
	countdown := rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		defer st.Input().Done()
		st.CountRanges(1)
		rows := []int{3, 2, 1}
		reservation, err := st.Input().Reserve(ctx, 24)
		if err != nil {
			return err
		}
		reservation.Resize(24)
		reservation.AddReceipt(st.Receipt())
		reservation.Position = flow.Position{Last: true}
		st.CountPage(len(rows), 24)
		err = out.Next(ctx, &flow.Page[int]{Rows: rows, Reservation: reservation})
		reservation.Finish(err)
		if err != nil {
			return err
		}
		st.CountRangeDone()
		return out.Done(ctx, false)
	})
	fmt.Println(countdown.Collect(context.Background()))
	// Output: [3 2 1] <nil>
}

// everySecond is an operator that keeps no rows: it hands on every second one of a page, and what
// the page says, also where no row is left.
type everySecond struct{ out flow.Observer[string] }

func (e everySecond) Next(ctx context.Context, p *flow.Page[string]) error {
	var rows []string
	for i := 1; i < len(p.Rows); i += 2 {
		rows = append(rows, p.Rows[i])
	}
	return flow.HandOn(ctx, p, rows, e.out)
}

func (e everySecond) Done(ctx context.Context, stopped bool) error { return e.out.Done(ctx, stopped) }

func ExampleLift() {
	info := rxcql.StageInfo{Name: "EverySecond"}
	some := rxcql.Lift(words("a", "b", "c", "d"), info, func(_ *rxcql.Stage, out flow.Observer[string]) flow.Observer[string] {
		return everySecond{out}
	})
	fmt.Println(some.Collect(context.Background()))
	// Output: [b d] <nil>
}

// sorting is an operator that keeps all rows until the end.
type sorting struct {
	st      *rxcql.Stage
	out     flow.Observer[string]
	clone   func(string) string
	account *flow.Account
	rows    []string
	kept    *flow.Reservation // what the rows owe; nil after Done
	behind  flow.Advances     // what the parts of the rows have said
}

func (s *sorting) Next(_ context.Context, p *flow.Page[string]) error {
	s.behind.Add(p.Advance())
	for _, row := range p.Rows {
		s.rows = append(s.rows, s.clone(row)) // the page will be used again
	}
	s.kept.Take(p.Reservation, p.Bytes()) // its receipt stays open, its bytes are ours
	return nil
}

func (s *sorting) Done(ctx context.Context, stopped bool) error {
	kept := s.kept
	s.kept = nil
	if stopped { // by Pipeline.Stop: a part of the rows is not what was asked for
		s.st.Abandon(kept)
		return s.out.Done(ctx, true)
	}
	slices.Sort(s.rows)
	kept.Emit()
	err := s.out.Next(ctx, &flow.Page[string]{Rows: s.rows, Reservation: kept})
	if err == nil {
		err = flow.Tell(ctx, s.account, &s.behind, s.out)
	}
	kept.Finish(err)
	if err != nil {
		return err
	}
	return s.out.Done(ctx, false)
}

// ExampleNewStream_operator writes an operator that keeps rows: it charges them to an account, and
// gives that back however the stream ends.
func ExampleNewStream_operator() {
	in := words("b", "c", "a")
	info := rxcql.StageInfo{Name: "Sort", MixesRows: true, HoldsRows: true, NotResumable: true}
	sorted := rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[string]) error {
		account := st.Account(false)
		s := &sorting{st: st, out: out, clone: rxcql.CloneFunc[string](), account: account, kept: account.Reservation()}
		err := in.Subscribe(ctx, st, s)
		if s.kept != nil {
			s.kept.Finish(err)
		}
		return err
	}, in)
	fmt.Println(sorted.Collect(context.Background()))
	// Output: [a b c] <nil>
}
