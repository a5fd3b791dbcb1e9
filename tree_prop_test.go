package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// batching keeps rows and hands them on n at a time; what is left goes on at the
// end, and is given up at a stop.
func batching(in rxcql.Stream[int], n int, fold bool) rxcql.Stream[int] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Batch"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		acc := st.Account(false)
		kept, rows := acc.Reservation(), []int(nil)
		emit := func(ctx context.Context) error {
			kept.Emit()
			err := out.Next(ctx, &flow.Page[int]{Rows: rows, Reservation: kept})
			kept.Finish(err)
			kept, rows = acc.Reservation(), rows[:0]
			return err
		}
		return op[int, int]{
			next: func(ctx context.Context, p *flow.Page[int]) (err error) {
				defer func() {
					if err != nil {
						kept.Finish(err)
					}
				}()
				for _, row := range p.Rows {
					size := int64(8)
					if fold {
						size = 0
					}
					kept.Take(p.Reservation, size)
					if rows = append(rows, row); len(rows) == n {
						if err := emit(ctx); err != nil {
							return err
						}
					}
				}
				return nil
			},
			done: func(ctx context.Context, stopped bool) error {
				if stopped {
					st.Abandon(kept)
					return out.Done(ctx, stopped)
				}
				if err := emit(ctx); err != nil {
					return err
				}
				return out.Done(ctx, stopped)
			},
		}
	})
}

// doubling hands every row on twice, in two pages.
func doubling(in rxcql.Stream[int]) rxcql.Stream[int] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Double"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			if err := out.Next(ctx, p); err != nil {
				return err
			}
			return out.Next(ctx, p)
		}}
	})
}

// concat reads one stream after the other.
func concat(all ...rxcql.Stream[int]) rxcql.Stream[int] {
	var ups []rxcql.AnyStream
	for _, in := range all {
		ups = append(ups, in)
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "Concat"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		end := false
		for _, in := range all {
			err := in.Subscribe(ctx, st, op[int, int]{next: out.Next, done: func(_ context.Context, stopped bool) error { end = end || stopped; return nil }})
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, end)
	}, ups...)
}

// tree draws a stream of operators that keep, fold, drop and repeat rows.
func tree(t *rapid.T, depth int) rxcql.Stream[int] {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		rows := rapid.IntRange(0, 400).Draw(t, "rows")
		return source.Seq(numbers(rows, nil), source.PageRows(rapid.IntRange(1, 60).Draw(t, "page")))
	}
	in := tree(t, depth-1)
	switch kind {
	case 1:
		return batching(in, rapid.IntRange(1, 90).Draw(t, "batch"), false)
	case 2:
		return batching(in, rapid.IntRange(1, 90).Draw(t, "fold"), true)
	case 3:
		return take(in, rapid.IntRange(1, 300).Draw(t, "take"))
	case 4:
		return doubling(in)
	case 5:
		return behind(in)
	case 6:
		return concat(in, tree(t, depth-1))
	default:
		return mapped(in, func(i int) int { return -i })
	}
}

// lateSink makes rows durable after a while, in the background.
func lateSink(after time.Duration, fail int) *memory[int] {
	to := &memory[int]{}
	var acc *flow.Account
	pages := 0
	flying := make(chan struct{}, 1<<16)
	to.open = func(_ context.Context, st *rxcql.Stage) error { acc = st.Account(true); return nil }
	to.write = func(_ context.Context, p *flow.Page[int]) error {
		if pages++; pages == fail {
			return errTest
		}
		l := acc.Reservation()
		l.Take(p.Reservation, p.Bytes())
		flying <- struct{}{}
		go func() {
			time.Sleep(after)
			l.Settle()
			<-flying
		}()
		return nil
	}
	wait := func() {
		for len(flying) > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	to.flush = func(context.Context) error { wait(); return nil }
	to.close = func() error { wait(); return nil }
	return to
}

func TestAnyTreeOfOperatorsSettlesEveryReceiptOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := tree(rt, rapid.IntRange(0, 6).Draw(rt, "depth"))
		after := time.Duration(rapid.IntRange(0, 3).Draw(rt, "ms")) * time.Millisecond
		fail := rapid.SampledFrom([]int{0, 0, 0, 1, 5}).Draw(rt, "fail")
		budget := rapid.SampledFrom([]int64{1 << 20, rxcql.DefaultBudget}).Draw(rt, "budget")
		p, err := rxcql.New(in, rxcql.Sink[int](lateSink(after, fail)), rxcql.WithBudget(budget))
		if err != nil { // more sources than the budget is for
			require.ErrorContains(rt, err, "WithBudget")
			return
		}
		for range 2 { // and again
			var rep rxcql.Report
			synctest.Test(t, func(*testing.T) { rep, err = p.Run(context.Background()) })
			require.Zero(rt, rep.BytesInFlight, "%v", rep)
			switch {
			case errors.Is(err, errTest):
				require.LessOrEqual(rt, rep.PagesSettled, rep.Pages)
			default:
				require.NoError(rt, err)
				require.Equal(rt, rep.Pages, rep.PagesSettled)
			}
			require.LessOrEqual(rt, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
		}
	})
}
