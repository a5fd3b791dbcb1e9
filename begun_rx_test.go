package rxcql_test

import (
	"context"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// oneThenOne reserves, and hands on, a row, and another one when held is closed.
func oneThenOne(held <-chan struct{}) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		track := st.Track(flow.WholeRange)
		for i := range 2 {
			l, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			l.Resize(1)
			p := &flow.Page[int]{Rows: []int{i}, Reservation: l}
			p.Position = flow.Position{Page: int64(i), Last: i == 1}
			if err := flow.Deliver(ctx, track, p, 1, nil, out); err != nil {
				return err
			}
			if i == 0 {
				<-held
			}
		}
		return out.Done(ctx, false)
	})
}

// holdsWhileZeroIsOut holds all of the budget for an hour when a row 0 comes, and says so.
func holdsWhileZeroIsOut(in rxcql.Stream[int], held chan<- struct{}) rxcql.Stream[int] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Slow"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			if len(p.Rows) > 0 && p.Rows[0] == 0 {
				kept := st.Account(false).Reservation()
				defer kept.Settle()
				kept.Take(p.Reservation, st.Run().Budget())
				close(held)
				time.Sleep(time.Hour)
			}
			return out.Next(ctx, p)
		}}
	})
}

func TestAPageThatRxgoHandsOnMovesUntilItsDeliveryReturns(t *testing.T) {
	alone(t, "though the source waits for what its taker holds", func(t *testing.T) {
		held := make(chan struct{})
		in := operators.Rx[int, int](oneThenOne(held), func(o rxgo.Observable) rxgo.Observable {
			return o.Map(func(_ context.Context, row any) (any, error) { return row, nil })
		})
		rows, err := holdsWhileZeroIsOut(in, held).Collect(context.Background(), rxcql.WithBudget(64*kib))
		require.NoError(t, err)
		require.Equal(t, []int{0, 1}, rows)
	})
	alone(t, "though another source waits", func(t *testing.T) {
		held, items := make(chan struct{}), make(chan rxgo.Item, 1)
		items <- rxgo.Of(0)
		close(items)
		other := rxcql.NewStream(rxcql.StageInfo{Name: "Other", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			<-held
			l, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			l.Release()
			return out.Done(ctx, false)
		})
		in := operators.Merge(source.FromObservable[int](rxgo.FromChannel(items)), other)
		rows, err := holdsWhileZeroIsOut(in, held).Collect(context.Background(), rxcql.WithBudget(128*kib))
		require.NoError(t, err)
		require.Equal(t, []int{0}, rows)
	})
}
