package flow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

// fetch is one page of a scripted source, and what becomes of it.
type fetch struct {
	Estimate, Bytes int64
	Fetching, Busy  time.Duration
	Keep            int64 // bytes that the holder takes; 0 for none
	Kept            time.Duration
}

// script draws the pages of all workers of all inputs.
func script(t *rapid.T, inputs int) [][][]fetch {
	size := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(10, 50_000), rapid.Int64Range(10, 5<<20))
	wait := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 5).Draw(t, "ms")) * time.Millisecond
	})
	one := rapid.Custom(func(t *rapid.T) fetch {
		f := fetch{Estimate: size.Draw(t, "estimate"), Bytes: size.Draw(t, "bytes"), Fetching: wait.Draw(t, "fetch"), Busy: wait.Draw(t, "busy")}
		if rapid.Bool().Draw(t, "keeps") {
			f.Keep, f.Kept = rapid.Int64Range(0, f.Bytes).Draw(t, "keep"), wait.Draw(t, "kept")
		}
		return f
	})
	worker := rapid.SliceOfN(one, 0, 12)
	return rapid.SliceOfN(rapid.SliceOfN(worker, 1, 3), inputs, inputs).Draw(t, "script")
}

// play runs a script and returns the budget's report and the first error. A
// wait without end stops the bubble, and with it the test.
func play(all [][][]fetch, limit int64, frees bool) (flow.Usage, error) {
	b := flow.NewBudget(limit)
	acc := b.Account("Keep", frees)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var ins []*flow.Input
	for range all {
		ins = append(ins, b.NewInput("in"))
	}
	var sources, holds sync.WaitGroup
	for i, in := range ins {
		var workers sync.WaitGroup
		delivery := make(chan struct{}, 1) // calls of Next never overlap
		for _, pages := range all[i] {
			workers.Go(func() {
				for _, f := range pages {
					l, err := in.Reserve(ctx, f.Estimate)
					if err != nil {
						cancel(err)
						return
					}
					time.Sleep(f.Fetching)
					l.Resize(f.Bytes)
					delivery <- struct{}{}
					time.Sleep(f.Busy)
					if f.Keep > 0 {
						kept := acc.Reservation()
						kept.Take(l, f.Keep)
						holds.Go(func() {
							time.Sleep(f.Kept)
							if f.Kept%2 == 0 {
								kept.Emit()
							}
							kept.Settle()
						})
					}
					l.Settle()
					<-delivery
				}
			})
		}
		sources.Go(func() { workers.Wait(); in.Done() })
	}
	sources.Wait()
	holds.Wait()
	return b.Usage(), context.Cause(ctx)
}

func TestTheBudgetKeepsItsPromiseWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		inputs := rapid.IntRange(1, 4).Draw(rt, "inputs")
		limit := least * int64(inputs) * rapid.SampledFrom([]int64{1, 1, 2, 16, 100}).Draw(rt, "times")
		all := script(rt, inputs)
		var rep flow.Usage
		var err error
		synctest.Test(t, func(*testing.T) { rep, err = play(all, limit, true) })
		require.NoError(rt, err, "what is held frees itself in time")
		require.Zero(rt, rep.BytesInFlight)
		require.LessOrEqual(rt, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
}

func TestWhatOperatorsHoldEndsInRowsOrInAnErrorButNeverInSilence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		inputs := rapid.IntRange(1, 3).Draw(rt, "inputs")
		all := script(rt, inputs)
		var rep flow.Usage
		var err error
		synctest.Test(t, func(*testing.T) { rep, err = play(all, least*int64(inputs), false) })
		if err != nil {
			require.True(rt, errors.Is(err, flow.ErrBudgetHeld), err)
		}
		require.Zero(rt, rep.BytesInFlight)
		require.LessOrEqual(rt, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
}

func TestRandomCancelsLeaveNoByteBehind(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		after := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 12).Draw(rt, "cancel after ms")
		var rep flow.Usage
		synctest.Test(t, func(t *testing.T) {
			b := flow.NewBudget(least)
			in := b.NewInput("in")
			var wg sync.WaitGroup
			for _, ms := range after {
				wg.Go(func() {
					ctx, cancel := context.WithTimeoutCause(context.Background(), time.Duration(ms)*time.Millisecond, errTest)
					defer cancel()
					l, err := in.Reserve(ctx, 1<<30)
					if err != nil {
						assert.Equal(t, errTest, err)
						return
					}
					time.Sleep(time.Duration(ms) * time.Millisecond / 2)
					l.Release()
				})
			}
			wg.Wait()
			require.Zero(t, b.Waiting())
			rep = b.Usage()
		})
		require.Zero(rt, rep.BytesInFlight)
		require.LessOrEqual(rt, rep.PeakBytes, rep.Budget)
	})
}
