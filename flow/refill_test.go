package flow_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

func TestAReservationThatIsSplitOwesInParts(t *testing.T) {
	alone(t, "which are released each by itself", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		room, err := in.Reserve(t.Context(), 10*kib)
		require.NoError(t, err)
		room.Resize(8 * kib)
		page := room.Split(3 * kib)
		require.Equal(t, 3*kib, page.Bytes())
		require.Equal(t, 5*kib, room.Bytes())
		require.Equal(t, 8*kib, b.Usage().BytesInFlight)
		kept := b.Account("Keep", true).Reservation()
		kept.Take(page, 2*kib)
		page.Settle()
		require.Equal(t, 7*kib, b.Usage().BytesInFlight)
		require.Equal(t, 5*kib, room.Split(100*kib).Bytes(), "no more than there is")
		kept.Settle()
		room.Release()
	})
}

func TestARefillWaitsForRoom(t *testing.T) {
	alone(t, "that others give back", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		room, err := in.Reserve(t.Context(), 4*kib)
		require.NoError(t, err)
		room.Resize(4 * kib)
		pages := append(fill(t, b, in), reserved(t, in, 20*kib))
		got := make(chan error, 1)
		go func() { got <- room.Refill(t.Context(), 20*kib) }()
		synctest.Wait()
		require.Equal(t, 1, b.Waiting())
		require.Equal(t, 4*kib, room.Bytes(), "all or nothing")
		for _, page := range pages {
			page.Settle()
		}
		require.NoError(t, <-got)
		require.Equal(t, 20*kib, room.Bytes())
		require.Equal(t, 20*kib, b.Usage().BytesInFlight)
		room.Release()
		require.Zero(t, b.Usage().BytesInFlight)
	})
	alone(t, "but not for more than the share of its input", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		room, err := in.Reserve(t.Context(), 1<<30)
		require.NoError(t, err)
		share := room.Bytes()
		room.Resize(100 * kib) // one large row
		require.NoError(t, room.Refill(t.Context(), 200*kib))
		require.Equal(t, 100*kib, room.Bytes())
		room.Resize(kib)
		require.NoError(t, room.Refill(t.Context(), 200*kib))
		require.Equal(t, share, room.Bytes())
		room.Release()
	})
	alone(t, "until its context ends, and is what it was", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		room, err := in.Reserve(t.Context(), 4*kib)
		require.NoError(t, err)
		pages := append(fill(t, b, in), reserved(t, in, 20*kib))
		ctx, cancel := context.WithCancelCause(t.Context())
		got := make(chan error, 1)
		go func() { got <- room.Refill(ctx, 20*kib) }()
		synctest.Wait()
		cancel(errTest)
		require.Equal(t, errTest, <-got)
		require.Equal(t, errTest, room.Refill(ctx, 20*kib), "a context that has ended before")
		require.Equal(t, 4*kib, room.Bytes())
		room.Release()
		for _, page := range pages {
			page.Settle()
		}
		require.Zero(t, b.Usage().BytesInFlight)
		require.Len(t, fill(t, b, in), 2, "nothing of it is left in the books")
	})
}

// reserved is a reservation for which there is room.
func reserved(t *testing.T, in *flow.Input, bytes int64) *flow.Reservation {
	t.Helper()
	l, err := in.Reserve(t.Context(), bytes)
	require.NoError(t, err)
	return l
}

// Each of several workers has a page of one thing, and waits for that of another.
func TestReadersOfTwoThingsThatWaitForEachOtherAreSeen(t *testing.T) {
	alone(t, "and let go on one after the other", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		var rooms []*flow.Reservation
		for range 4 { // each turned out four times as large as was asked for
			room, err := in.Reserve(t.Context(), 4*kib)
			require.NoError(t, err)
			rooms = append(rooms, room)
		}
		for _, room := range rooms {
			room.Resize(20 * kib)
		}
		var all sync.WaitGroup
		for _, room := range rooms {
			all.Go(func() {
				assert.NoError(t, room.Refill(t.Context(), 32*kib))
				room.Release()
			})
		}
		all.Wait()
		require.Zero(t, b.Usage().BytesInFlight)
	})
	alone(t, "and count as pages in memory while others go on", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		var rooms []*flow.Reservation
		for range 8 { // one fetch at a time
			room := reserved(t, in, 7*kib)
			room.Resize(7 * kib)
			rooms = append(rooms, room)
		}
		var all sync.WaitGroup
		for _, room := range rooms {
			all.Go(func() {
				assert.NoError(t, room.Refill(t.Context(), 32*kib))
				room.Resize(31 * kib) // of which nothing can be handed on
				assert.NoError(t, room.Refill(t.Context(), 32*kib))
				room.Release()
			})
		}
		all.Wait()
		used := b.Usage()
		require.Zero(t, used.BytesInFlight)
		require.Greater(t, used.PeakBytes, 3*64*kib)
		require.LessOrEqual(t, used.PeakBytes, used.Budget+int64(used.PeakFetches)*used.LargestPage)
	})
	alone(t, "and one that needs no more bytes waits while operators hold more than the budget", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		kept := b.Account("Sort", true).Reservation()
		in := b.NewInput("Pairs")
		room := reserved(t, in, kib)
		room.Resize(128 * kib)
		page := room.Split(96 * kib)
		kept.Take(page, 80*kib)
		page.Settle()
		var refilled atomic.Bool
		var all sync.WaitGroup
		all.Go(func() {
			assert.NoError(t, room.Refill(t.Context(), 32*kib))
			refilled.Store(true)
		})
		synctest.Wait()
		require.False(t, refilled.Load())
		kept.Settle()
		all.Wait()
		room.Release()
		require.Zero(t, b.Usage().BytesInFlight)
	})
	alone(t, "but where operators hold the budget they end with that error", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("Pairs")
		kept := b.Account("Batch", false).Reservation()
		errs := make(chan error, 4)
		var delivery sync.Mutex // calls of Next never overlap
		for range cap(errs) {
			go func() { errs <- holdRounds(t, in, &delivery, kept) }()
		}
		for range cap(errs) {
			require.Equal(t, "Batch", isHeld(t, <-errs).Stage)
		}
		kept.Settle()
		require.Zero(t, b.Usage().BytesInFlight)
	})
}

// holdRounds reads on and on, keeps a part for the next page, and has the rest held.
func holdRounds(t *testing.T, in *flow.Input, delivery *sync.Mutex, kept *flow.Reservation) error {
	room, err := in.Reserve(t.Context(), 8*kib)
	if err != nil {
		return err
	}
	defer room.Release()
	for {
		room.Resize(8 * kib)
		page := room.Split(4 * kib)
		delivery.Lock()
		kept.Take(page, page.Bytes())
		delivery.Unlock()
		page.Settle()
		if err := room.Refill(t.Context(), 8*kib); err != nil {
			return err
		}
	}
}

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
