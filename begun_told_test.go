package rxcql_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// tellsWhenHeld hands on a row of part 0 with a watermark. When held is closed it says the
// same watermark of further parts, in pages without rows, and waits for room.
func tellsWhenHeld(held <-chan struct{}, further int, mark flow.Watermark) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Tells", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		pages := make([]*flow.Page[int], 1+further)
		for part := range pages {
			l, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			l.Say(flow.Advance{Position: flow.Position{Range: part}, Watermark: mark})
			l.AddReceipt(st.Receipt())
			pages[part] = &flow.Page[int]{Reservation: l}
			defer l.Release() // if it is not handed on
		}
		pages[0].Rows = []int{0}
		for part, p := range pages {
			if part == 1 {
				<-held
			}
			st.CountPage(len(p.Rows), 1)
			err := out.Next(ctx, p)
			if p.Finish(err); err != nil {
				return err
			}
		}
		<-held
		l, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		l.Release()
		return out.Done(ctx, false)
	})
}

// holdsUntilTold holds all of the budget from its first row until a part says a watermark, and
// takes an hour for each page. It says when it holds it.
func holdsUntilTold[T any](in rxcql.Stream[T], held chan<- struct{}, until int) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Window", HoldsRows: true}, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		kept, holds := st.Account(false).Reservation(), false
		return op[T, T]{done: out.Done, next: func(_ context.Context, p *flow.Page[T]) error {
			if len(p.Rows) > 0 {
				kept.Take(p.Reservation, st.Run().Budget())
				holds = true
				close(held)
			}
			time.Sleep(time.Hour)
			if holds && p.Range == until && p.Watermark.Known() {
				kept.Settle()
			}
			return nil
		}}
	})
}

func TestAWatermarkOnItsWayToWhoWaitsForItIsNotTakenForStuck(t *testing.T) {
	mark := flow.WatermarkAt(time.Unix(9, 0))
	query := func(_ context.Context, n int) (int, error) { return n, nil }
	for _, further := range []int{0, 1, 2} {
		ordered := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.MapConcurrent(in, 2, query) }
		unordered := func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 2, query, operators.Unordered())
		}
		for name, put := range map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
			"MapConcurrent":                      ordered,
			"MapConcurrent, unordered":           unordered,
			"several of them":                    func(in rxcql.Stream[int]) rxcql.Stream[int] { return unordered(ordered(unordered(in))) },
			"MapConcurrent behind several parts": func(in rxcql.Stream[int]) rxcql.Stream[int] { return ordered(operators.Merge(in)) },
		} {
			alone(t, name, func(t *testing.T) {
				held := make(chan struct{})
				_, err := holdsUntilTold(put(tellsWhenHeld(held, further, mark)), held, further).Count(context.Background(), rxcql.WithBudget(64*kib))
				require.NoError(t, err)
			})
		}
		alone(t, "Batch with Linger", func(t *testing.T) {
			held := make(chan struct{})
			in := operators.Batch(tellsWhenHeld(held, further, mark), operators.BatchLinger(time.Minute))
			_, err := holdsUntilTold(in, held, further).Count(context.Background(), rxcql.WithBudget(64*kib))
			require.NoError(t, err)
		})
	}
}

func TestAWatermarkThatWaitsForARowThatFailsIsNotTakenForStuckWhenItHasFailed(t *testing.T) {
	alone(t, "last of its page", func(t *testing.T) {
		held := make(chan struct{})
		in := rxcql.Lift(tellsWhenHeld(held, 1, flow.WatermarkAt(time.Unix(9, 0))), rxcql.StageInfo{Name: "RowEach"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
				return out.Next(ctx, flow.Derive(p, []int{p.Range}))
			}}
		})
		fails := operators.MapConcurrent(in, 2, func(_ context.Context, n int) (int, error) {
			if n > 0 {
				time.Sleep(2 * time.Hour) // until the source waits, and nothing else moves
				return 0, errTest
			}
			return n, nil
		}, operators.Unordered())
		_, err := holdsUntilTold(fails, held, 1).Count(context.Background(), rxcql.WithBudget(64*kib), rxcql.WithRowErrors(rxcql.SkipRows(1)))
		require.NoError(t, err)
	})
}

func TestWhatIsToldNobodyAnyMoreMovesNothing(t *testing.T) {
	alone(t, "so that a budget that is held is found", func(t *testing.T) {
		always := make(chan struct{})
		close(always)
		both := operators.MapConcurrent(tellsWhenHeld(always, 1, flow.WatermarkAt(time.Unix(9, 0))), 2, func(_ context.Context, n int) (int, error) { return n, nil })
		slow := operators.FlatMap(both, func(n int, emit func(int) bool) error { // it has no limit
			time.Sleep(time.Hour) // the watermarks come meanwhile
			emit(n)
			return nil
		})
		in := oneAfterOther(0, false, mapped(operators.Take(slow, 1), func(n int) []byte { return []byte{byte(n)} }), heavy(10_000))
		_, err := operators.Batch(in, operators.BatchRows(1<<20)).Count(context.Background(), rxcql.WithBudget(128*kib))
		require.ErrorIs(t, err, flow.ErrBudgetHeld)
	})
}
