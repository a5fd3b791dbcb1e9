package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

func TestABudgetThatIsHeldFailsTheRun(t *testing.T) {
	alone(t, "at once, and names the holder of most", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		small, large := b.Account("Small", false).Reservation(), b.Account("Large", false).Reservation()
		l, err := in.Reserve(context.Background(), 1000)
		require.NoError(t, err)
		l.Resize(1000)
		small.Take(l, 1000)
		l.Settle()
		held := isHeld(t, holdAll(t, in, large))
		require.Equal(t, "Large", held.Stage)
		require.Equal(t, large.Bytes(), held.Held)
		require.Equal(t, 64*kib, held.Budget)
		require.ErrorContains(t, held, "stage Large holds")
		require.LessOrEqual(t, b.Usage().PeakBytes, 64*kib)
		small.Settle()
		large.Settle()
		require.Zero(t, b.Usage().BytesInFlight)
	})
	alone(t, "for every reservation that waits", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		errs := make(chan error, 4)
		for range 4 {
			go func() { errs <- holdAll(t, in, b.Account("Keep", false).Reservation()) }()
		}
		for range 4 {
			isHeld(t, <-errs)
		}
	})
	alone(t, "but not while something is held that frees itself", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		writes, kept := b.Account("Writes", true).Reservation(), b.Account("Keep", false).Reservation()
		require.NoError(t, hold(t, in, writes))
		err := make(chan error, 1)
		go func() { err <- holdAll(t, in, kept) }()
		synctest.Wait()
		require.Empty(t, err, "it waits for the writes")
		writes.Settle()
		isHeld(t, <-err)
	})
	alone(t, "but not while another input can still bring rows", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		in, other := b.NewInput("in"), b.NewInput("other")
		err := make(chan error, 1)
		go func() { err <- holdAll(t, in, b.Account("Keep", false).Reservation()) }()
		synctest.Wait()
		require.Empty(t, err)
		other.Done()
		isHeld(t, <-err)
	})
	alone(t, "but not while rows are on their way", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		kept := b.Account("Keep", false).Reservation()
		require.NoError(t, hold(t, in, kept))
		kept.Emit() // to a slow sink
		err := make(chan error, 1)
		go func() { err <- holdAll(t, in, b.Account("Keep", false).Reservation()) }()
		synctest.Wait()
		require.Empty(t, err)
		kept.Settle()
		isHeld(t, <-err)
	})
	alone(t, "but not while a holder that has taken all of a page is about to hand it on", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		kept := b.Account("Batch", false).Reservation()
		require.NoError(t, hold(t, in, kept))
		last, err := in.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		last.Resize(last.Bytes())
		kept.Take(last, last.Bytes()) // the batch is full, and its page still being delivered
		got := make(chan error, 1)
		go func() { // another worker of the input asks just now
			l, err := in.Reserve(context.Background(), 1<<30)
			if err == nil {
				l.Release()
			}
			got <- err
		}()
		synctest.Wait()
		require.Empty(t, got)
		kept.Emit()
		kept.Settle()
		last.Settle()
		require.NoError(t, <-got)
	})
	alone(t, "but not before an input that was short has had the page kept for it", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		fast, slow := b.NewInput("fast"), b.NewInput("slow")
		kept := b.Account("Zip", false).Reservation()
		errs := make(chan error, 1)
		go func() { errs <- holdAll(t, fast, kept) }()
		synctest.Wait()
		l, err := slow.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		l.Resize(l.Bytes())
		kept.Settle() // its rows were what the holder waited for
		l.Settle()
		slow.Done()
		isHeld(t, <-errs)
	})
	alone(t, "but not by pages of no rows", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		for range 1000 {
			l, err := in.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			l.Resize(0)
			l.Settle()
		}
		require.Zero(t, b.Usage().BytesInFlight)
	})
}
