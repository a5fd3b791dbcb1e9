package flow_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

func TestAReceiptSettlesWithTheLastHoldAndOnlyThen(t *testing.T) {
	settled := 0
	r := flow.NewReceipt(func() { settled++ })
	r.Hold()
	r.Hold()
	r.Settle()
	r.Settle()
	require.False(t, r.Settled())
	require.Zero(t, settled)
	r.Settle()
	require.True(t, r.Settled())
	require.Equal(t, 1, settled)
}

func TestAReceiptNeedsNoCallback(t *testing.T) {
	r := flow.NewReceipt(nil)
	r.Settle()
	require.True(t, r.Settled())
}

func TestASettledReceiptRefusesEverythingAndStaysSettled(t *testing.T) {
	settled := 0
	r := flow.NewReceipt(func() { settled++ })
	r.Settle()
	for range 3 {
		require.PanicsWithValue(t, "rxcql: receipt settled twice", r.Settle)
		require.PanicsWithValue(t, "rxcql: hold on a receipt that is settled", r.Hold)
	}
	require.True(t, r.Settled())
	require.Equal(t, 1, settled)
}

func TestAReceiptFollowsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		settled, model := 0, 1
		r := flow.NewReceipt(func() { settled++ })
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			hold := rapid.Bool().Draw(t, "hold")
			step, delta := r.Settle, -1
			if hold {
				step, delta = r.Hold, 1
			}
			if model == 0 {
				require.Panics(t, step)
			} else {
				step()
				model += delta
			}
			require.Equal(t, model == 0, r.Settled())
			require.Equal(t, model == 0, settled == 1)
		}
	})
}

func TestAReceiptSettlesOnceFromManyGoroutines(t *testing.T) {
	for range 200 {
		var settled, refused atomic.Int64
		r := flow.NewReceipt(func() { settled.Add(1) })
		var wg sync.WaitGroup
		for range 8 {
			r.Hold()
			wg.Go(func() {
				r.Hold()
				r.Settle()
				r.Settle()
			})
		}
		wg.Go(r.Settle)
		wg.Wait()
		for range 4 { // all too late
			wg.Go(func() {
				defer func() {
					if recover() != nil {
						refused.Add(1)
					}
				}()
				r.Settle()
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, settled.Load())
		require.EqualValues(t, 4, refused.Load())
		require.True(t, r.Settled())
	}
}
