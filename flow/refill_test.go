package flow_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
