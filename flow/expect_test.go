package flow_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

func TestSourcesLeaveRoomForWhatAnAccountExpects(t *testing.T) {
	alone(t, "as far as it is not charged yet", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		writes := b.Account("Writes", true)
		writes.Expect(32 * kib)
		in := b.NewInput("in")
		pages, costs := fill(t, b, in), writes.Reservation()
		require.Len(t, pages, 2)
		require.Equal(t, 32*kib, b.Usage().BytesInFlight)
		costs.Take(&flow.Reservation{}, 16*kib) // in addition to the rows
		costs.Take(pages[0], 16*kib)            // the rows themselves
		pages = append(pages, fill(t, b, in)...)
		require.Len(t, pages, 3, "that of the rows is free")
		require.Equal(t, 64*kib, b.Usage().PeakBytes)
		costs.Settle()
		for _, l := range pages {
			l.Settle()
		}
		require.Zero(t, b.Usage().BytesInFlight)
	})
	alone(t, "but are not shut out by one who expects more than the budget", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		for range 3 {
			b.Account("Writes", true).Expect(1 << 40)
		}
		in := b.NewInput("in")
		require.Equal(t, 8*kib, in.PageBytes())
		pages := fill(t, b, in)
		require.Greater(t, len(pages), 1)
		for _, l := range pages {
			l.Settle()
		}
	})
	alone(t, "of which operators that hold rows leave less", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		b.Account("Writes", true).Expect(32 * kib)
		in := b.NewInput("in")
		kept := b.Account("Batch", false).Reservation()
		for kept.Bytes() < 40*kib {
			require.NoError(t, hold(t, in, kept))
		}
		var pages []*flow.Reservation
		for range 4 { // are still read ahead
			l, err := in.Reserve(context.Background(), kib)
			require.NoError(t, err)
			pages = append(pages, l)
		}
		for _, l := range pages {
			l.Settle()
		}
		kept.Settle()
	})
	alone(t, "unless operators need it, until they hold all", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		b.Account("Writes", true).Expect(32 * kib)
		in := b.NewInput("in")
		kept := b.Account("Batch", false).Reservation()
		held := isHeld(t, holdAll(t, in, kept))
		require.Equal(t, "Batch", held.Stage)
		require.Greater(t, held.Held, 64*kib-in.PageBytes())
	})
	alone(t, "unless an input has no page, for which rows on their way may be waiting", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		b.Account("Writes", true).Expect(64 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		kept := b.Account("Batch", false).Reservation()
		for kept.Bytes() < 96*kib {
			require.NoError(t, hold(t, one, kept))
		}
		kept.Emit() // to an operator that waits for a row of the other
		l, err := two.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		l.Settle()
		kept.Settle()
	})
}

// costly is a page of which a sink keeps pieces that cost more than their bytes.
type costly struct {
	Bytes          int64
	Fetching, Kept time.Duration
	Costs          []int64 // of pieces
}

// drain plays workers of inputs that read pages as large as they asked for, and a sink
// that keeps to what it expects.
func drain(inputs [][][]costly, limit, expects int64) (flow.Usage, error) {
	b := flow.NewBudget(limit)
	acc := b.Account("Writes", true)
	acc.Expect(expects)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var ins []*flow.Input
	for range inputs {
		ins = append(ins, b.NewInput("in"))
	}
	var sources, writes sync.WaitGroup
	delivery := make(chan struct{}, 1)
	write := func(l *flow.Reservation, page costly) {
		delivery <- struct{}{}
		for _, cost := range page.Costs {
			for acc.Held()+cost > expects {
				time.Sleep(time.Millisecond)
			}
			kept := acc.Reservation()
			kept.Take(l, cost)
			writes.Go(func() {
				time.Sleep(page.Kept)
				kept.Settle()
			})
		}
		l.Settle()
		<-delivery
	}
	for i, in := range ins {
		var workers sync.WaitGroup
		for _, pages := range inputs[i] {
			workers.Go(func() {
				for _, page := range pages {
					l, err := in.Reserve(ctx, page.Bytes)
					if err != nil {
						cancel(err)
						return
					}
					time.Sleep(page.Fetching)
					l.Resize(l.Bytes())
					write(l, page)
				}
			})
		}
		sources.Go(func() { workers.Wait(); in.Done() })
	}
	sources.Wait()
	writes.Wait()
	return b.Usage(), context.Cause(ctx)
}

func TestWhatASinkNeedsInAdditionToItsRowsStaysInTheBudget(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		inputs := rapid.IntRange(1, 4).Draw(rt, "inputs")
		limit := least * int64(inputs) * rapid.SampledFrom([]int64{1, 1, 2, 16, 100}).Draw(rt, "times")
		expects := limit / int64(rapid.IntRange(2, 16).Draw(rt, "of the budget"))
		ms := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.IntRange(0, 5).Draw(t, "ms")) * time.Millisecond
		})
		page := rapid.Custom(func(t *rapid.T) costly {
			return costly{
				Bytes: rapid.SampledFrom([]int64{100, 10_000, 1 << 20, 4 << 20}).Draw(t, "bytes"), Fetching: ms.Draw(t, "fetching"), Kept: ms.Draw(t, "kept"),
				Costs: rapid.SliceOfN(rapid.SampledFrom([]int64{0, expects / 20, expects / 4, expects}), 1, 6).Draw(t, "costs"),
			}
		})
		all := rapid.SliceOfN(rapid.SliceOfN(rapid.SliceOfN(page, 1, 12), 2, 6), inputs, inputs).Draw(rt, "pages")
		var rep flow.Usage
		var err error
		synctest.Test(t, func(*testing.T) { rep, err = drain(all, limit, expects) })
		require.NoError(rt, err)
		require.Zero(rt, rep.BytesInFlight)
		require.LessOrEqual(rt, rep.PeakBytes, limit)
	})
}
