package flow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

// round is one page of a source that reads two things side by side.
type round struct {
	Fetch, Bytes   int64 // that it asks for, and gets
	Share          int64 // in a thousandth, of what it hands on
	Fetching, Busy time.Duration
	Keep           int64 // in a thousandth, of the page; 0 for none
	Kept           time.Duration
}

func rounds(t *rapid.T) [][]round {
	size := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(10, 50_000), rapid.Int64Range(10, 1<<20))
	wait := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 5).Draw(t, "ms")) * time.Millisecond
	})
	one := rapid.Custom(func(t *rapid.T) round {
		r := round{Fetch: size.Draw(t, "fetch"), Bytes: size.Draw(t, "bytes"), Share: rapid.Int64Range(0, 1000).Draw(t, "share"),
			Fetching: wait.Draw(t, "fetching"), Busy: wait.Draw(t, "busy")}
		if rapid.Bool().Draw(t, "keeps") {
			r.Keep, r.Kept = rapid.Int64Range(0, 1000).Draw(t, "keep"), wait.Draw(t, "kept")
		}
		return r
	})
	return rapid.SliceOfN(rapid.SliceOfN(one, 0, 10), 1, 8).Draw(t, "workers")
}

// sideBySide runs workers that read so, and returns the budget's report and the first error.
func sideBySide(all [][]round, limit int64, frees bool) (flow.Usage, error) {
	b := flow.NewBudget(limit)
	acc := b.Account("Keep", frees)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	in := b.NewInput("in")
	var workers, holds sync.WaitGroup
	delivery := make(chan struct{}, 1) // calls of Next never overlap
	for _, rounds := range all {
		workers.Go(func() {
			var room *flow.Reservation
			var have int64
			for _, r := range rounds {
				var err error
				if room == nil {
					room, err = in.Reserve(ctx, r.Fetch)
				} else {
					err = room.Refill(ctx, have+r.Fetch)
				}
				if err != nil {
					cancel(err)
					break
				}
				time.Sleep(r.Fetching)
				have += r.Bytes
				room.Resize(have)
				page := room.Split(have * r.Share / 1000)
				have -= page.Bytes()
				delivery <- struct{}{}
				time.Sleep(r.Busy)
				if r.Keep > 0 {
					kept := acc.Reservation()
					kept.Take(page, page.Bytes()*r.Keep/1000)
					holds.Go(func() {
						time.Sleep(r.Kept)
						kept.Settle()
					})
				}
				page.Settle()
				<-delivery
			}
			if room != nil {
				room.Release()
			}
		})
	}
	workers.Wait()
	in.Done()
	holds.Wait()
	return b.Usage(), context.Cause(ctx)
}

func TestReadersOfTwoThingsKeepTheBudgetAndNeverWaitForEver(t *testing.T) {
	for _, frees := range []bool{true, false} {
		rapid.Check(t, func(rt *rapid.T) {
			all := rounds(rt)
			limit := least * rapid.SampledFrom([]int64{1, 1, 2, 16}).Draw(rt, "times")
			var rep flow.Usage
			var err error
			synctest.Test(t, func(*testing.T) { rep, err = sideBySide(all, limit, frees) })
			if frees {
				require.NoError(rt, err, "what is held frees itself in time")
			}
			if err != nil {
				require.True(rt, errors.Is(err, flow.ErrBudgetHeld), err)
			}
			require.Zero(rt, rep.BytesInFlight)
			require.LessOrEqual(rt, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
		})
	}
}
