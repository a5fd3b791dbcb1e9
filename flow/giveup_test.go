package flow_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// reading is a source of a run that is read: its side of the budget, and the context of a reading.
type reading struct {
	in     *flow.Input
	origin *flow.Origin
	ctx    context.Context
}

func newReading(b *flow.Budget, name string) reading {
	task := b.Source(name)
	r := reading{in: task.Input(), origin: &flow.Origin{Name: name}}
	r.ctx, _ = task.Enter(context.Background(), nil, r.origin)
	return r
}

// page is a page of the reading, with a receipt.
func (r reading) page(t *testing.T, number int64) (*flow.Reservation, *flow.Receipt) {
	t.Helper()
	l, err := r.in.Reserve(r.ctx, 100)
	require.NoError(t, err)
	l.Position = flow.Position{Page: number}
	receipt := flow.NewReceipt(nil)
	l.AddReceipt(receipt)
	return l, receipt
}

func TestPagesThatAreGivenUpNeedNotBeSettled(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	failed, other := newReading(b, "failed"), newReading(b, "other")
	settled, _ := failed.page(t, 0)
	settled.Settle()
	lost, _ := failed.page(t, 1)
	late, receipt := failed.page(t, 2)
	owed, _ := other.page(t, 3)
	lost.Finish(context.Canceled)

	b.GiveUp(nil)
	require.Zero(t, b.GivenUp())
	first, found := b.Unsettled()
	require.True(t, found)
	require.EqualValues(t, 1, first.Page)

	b.GiveUp([]*flow.Origin{failed.origin})
	require.EqualValues(t, 2, b.GivenUp())
	first, found = b.Unsettled()
	require.True(t, found)
	require.EqualValues(t, 3, first.Page, "of the other reading")

	late.Settle() // whoever had been handed it on has written it
	require.True(t, receipt.Settled())
	require.EqualValues(t, 1, b.GivenUp(), "a page that is settled after all counts as that alone")
	b.GiveUp([]*flow.Origin{failed.origin})
	require.EqualValues(t, 1, b.GivenUp(), "once is enough")

	owed.Settle()
	_, found = b.Unsettled()
	require.False(t, found)
}

func TestAPageIsSettledOrGivenUpWhicheverComesFirst(t *testing.T) {
	for range 200 {
		b := flow.NewBudget(1 << 20)
		r := newReading(b, "reading")
		var pages []*flow.Reservation
		for n := range 20 {
			l, _ := r.page(t, int64(n))
			pages = append(pages, l)
		}
		var both sync.WaitGroup
		both.Go(func() {
			for _, l := range pages {
				l.Settle()
			}
		})
		both.Go(func() { b.GiveUp([]*flow.Origin{r.origin}) })
		both.Wait()
		require.Zero(t, b.GivenUp())
		_, found := b.Unsettled()
		require.False(t, found)
	}
}
