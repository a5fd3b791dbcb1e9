package flow_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

const (
	kib   = int64(1 << 10)
	least = 64 * kib // what a pipeline takes for each source
)

// fill reserves pages for the input, arrived as estimated, until one would wait.
func fill(t *testing.T, b *flow.Budget, in *flow.Input) (all []*flow.Reservation) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		l, err := in.Reserve(ctx, 1<<30)
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Zero(t, b.Waiting())
			return all
		}
		l.Resize(l.Bytes())
		all = append(all, l)
	}
}

func TestAFunctionOfOnWaitThatExitsTakesNoRoomAlong(t *testing.T) {
	alone(t, "after a wait", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		b.OnWait(func(context.Context, string, int64, time.Duration, error) { runtime.Goexit() })
		in := b.NewInput("in")
		var held []*flow.Reservation
		for range 2 { // which is as much as fits
			l, err := in.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			l.Resize(l.Bytes())
			held = append(held, l)
		}
		left := make(chan struct{})
		go func() {
			defer close(left)
			_, _ = in.Reserve(context.Background(), 1<<30)
			t.Error("the wait has returned")
		}()
		synctest.Wait()
		require.Equal(t, 1, b.Waiting())
		held[0].Release()
		<-left
		held[1].Release()
		require.Zero(t, b.Usage().BytesInFlight)
	})
}

func TestReserving(t *testing.T) {
	alone(t, "waits for room and goes on in the order of asking", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		held := fill(t, b, in)
		require.Len(t, held, 2)
		order := make(chan int, 2)
		for i := range 2 {
			go func() {
				l, err := in.Reserve(context.Background(), 1<<30)
				if err == nil {
					order <- i
					l.Release()
				}
			}()
			synctest.Wait()
		}
		require.Equal(t, 2, b.Waiting())
		held[0].Release()
		require.Equal(t, 0, <-order)
		require.Equal(t, 1, <-order)
		held[1].Release()
		require.Zero(t, b.Usage().BytesInFlight)
	})
	alone(t, "returns the cause of a context that has ended or ends", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		held := fill(t, b, in)
		ctx, cancel := context.WithCancelCause(context.Background())
		got := make(chan error, 1)
		go func() {
			_, err := in.Reserve(ctx, 1<<30)
			got <- err
		}()
		synctest.Wait()
		cancel(errTest)
		require.Equal(t, errTest, <-got)
		require.Zero(t, b.Waiting())
		_, err := in.Reserve(ctx, 1)
		require.Equal(t, errTest, err)
		for _, l := range held {
			l.Release()
		}
		require.Zero(t, b.Usage().BytesInFlight)
		_, err = in.Reserve(ctx, 1)
		require.Equal(t, errTest, err, "although there is room")
	})
	alone(t, "gives a grant back that came together with the cancel", func(t *testing.T) {
		for range 300 {
			b := flow.NewBudget(64 * kib)
			in := b.NewInput("in")
			held := fill(t, b, in)
			ctx, cancel := context.WithCancelCause(context.Background())
			got := make(chan error, 1)
			go func() {
				l, err := in.Reserve(ctx, 1<<30)
				if err == nil {
					l.Release()
				}
				got <- err
			}()
			synctest.Wait()
			cancel(errTest) // both are ready before Reserve looks
			for _, l := range held {
				l.Release()
			}
			if err := <-got; err != nil {
				require.Equal(t, errTest, err)
			}
			require.Zero(t, b.Usage().BytesInFlight)
			require.Len(t, fill(t, b, in), 2, "the credit is whole again")
		}
	})
	alone(t, "never uses the page kept for an input that is idle", func(t *testing.T) {
		for inputs := 2; inputs <= 5; inputs++ {
			b := flow.NewBudget(least * int64(inputs))
			var ins []*flow.Input
			for range inputs {
				ins = append(ins, b.NewInput("in"))
			}
			var all []*flow.Reservation
			for _, in := range ins { // each finds its page, however greedy those before
				got := fill(t, b, in)
				require.NotEmpty(t, got)
				all = append(all, got...)
			}
			rep := b.Usage()
			require.LessOrEqual(t, rep.PeakBytes, rep.Budget)
			for _, l := range all {
				l.Release()
			}
			require.Zero(t, b.Usage().BytesInFlight)
		}
	})
	alone(t, "uses the page of an input that is done", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		first := fill(t, b, one)
		require.Len(t, first, 3)
		two.Done()
		more := fill(t, b, one)
		require.Len(t, more, 1)
		for _, l := range append(first, more...) {
			l.Release()
		}
	})
	alone(t, "lets a page pass that is larger than the whole budget", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		for range 3 {
			l, err := in.Reserve(context.Background(), 5<<20)
			require.NoError(t, err)
			l.Resize(5 << 20)
			require.Empty(t, fill(t, b, in))
			l.Settle()
		}
		rep := b.Usage()
		require.EqualValues(t, 5<<20, rep.PeakBytes)
		require.Zero(t, rep.BytesInFlight)
	})
	alone(t, "lets an input go on beside such a page of another, which may wait for it", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		huge, err := one.Reserve(context.Background(), 1)
		require.NoError(t, err)
		huge.Resize(5 << 20)
		other, err := two.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		other.Resize(5 << 20)
		require.Empty(t, fill(t, b, one))
		require.Empty(t, fill(t, b, two))
		huge.Settle()
		other.Settle()
		rep := b.Usage()
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
	alone(t, "but not beside what a holder has taken of it", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		kept := b.Account("Keep", true).Reservation()
		huge, err := one.Reserve(context.Background(), 1)
		require.NoError(t, err)
		huge.Resize(5 << 20)
		kept.Take(huge, 5<<20)
		huge.Settle()
		require.Empty(t, fill(t, b, two))
		kept.Settle()
	})
	alone(t, "keeps a page again for an input that is read a second time", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		two.Done()
		l, err := two.Reserve(context.Background(), 1)
		require.NoError(t, err)
		l.Release()
		all := fill(t, b, one)
		require.Len(t, all, 3)
		for _, l := range append(all, fill(t, b, two)...) {
			l.Release()
		}
	})
	alone(t, "cuts what it asks for to the credit of the input", func(t *testing.T) {
		b := flow.NewBudget(2 * least)
		in := b.NewInput("in")
		b.NewInput("other")
		l, err := in.Reserve(context.Background(), 1<<40)
		require.NoError(t, err)
		require.LessOrEqual(t, l.Bytes(), least)
		l.Release()
		l, err = in.Reserve(context.Background(), -5)
		require.NoError(t, err)
		require.EqualValues(t, 1, l.Bytes())
		l.Release()
	})
}

// hold makes the account keep one page of the input.
func hold(t *testing.T, in *flow.Input, kept *flow.Reservation) error {
	t.Helper()
	l, err := in.Reserve(context.Background(), 1<<30)
	if err != nil {
		return err
	}
	l.Resize(l.Bytes())
	kept.Take(l, l.Bytes())
	l.Settle()
	return nil
}

func holdAll(t *testing.T, in *flow.Input, kept *flow.Reservation) error {
	t.Helper()
	for {
		if err := hold(t, in, kept); err != nil {
			return err
		}
	}
}

func isHeld(t *testing.T, err error) *flow.BudgetHeldError {
	t.Helper()
	require.ErrorIs(t, err, flow.ErrBudgetHeld)
	var held *flow.BudgetHeldError
	require.True(t, errors.As(err, &held))
	return held
}
