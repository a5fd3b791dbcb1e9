package flow_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

func TestAnInputKeepsWhatASmallPageLeavesOfItsCredit(t *testing.T) {
	for name, bytes := range map[string]int64{"a small one": 100, "one without rows": 0} {
		alone(t, name, func(t *testing.T) {
			b := flow.NewBudget(128 * kib)
			fast, slow := b.NewInput("fast"), b.NewInput("slow")
			kept := b.Account("Zip", false).Reservation()
			small, err := slow.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			small.Resize(bytes)
			held := make(chan error, 1)
			go func() { held <- holdAll(t, fast, kept) }()
			synctest.Wait()
			small.Settle()
			next, err := slow.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			next.Settle()
			slow.Done()
			isHeld(t, <-held)
		})
	}
}

func TestAPageThatAHolderHandsOnMovesUntilItsDeliveryReturns(t *testing.T) {
	alone(t, "be all its bytes taken", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		first, second := b.Account("MapConcurrent", true).Reservation(), b.Account("Batch", false).Reservation()
		require.NoError(t, hold(t, in, first))
		first.Emit()
		second.Take(first, first.Bytes()) // the batch is full, and about to go on
		got := make(chan error, 1)
		go func() {
			got <- holdAll(t, in, second)
		}()
		synctest.Wait()
		require.Empty(t, got)
		first.Settle()
		isHeld(t, <-got)
	})
}

func TestNoMomentBetweenTwoTasksIsTakenForStuck(t *testing.T) {
	b := flow.NewBudget(64 * kib)
	chain := []*flow.Task{b.Source("in")}
	for range 30 {
		chain = append(chain, b.Task(chain[len(chain)-1]))
	}
	last := len(chain) - 1
	_, leave := chain[last].Enter(context.Background(), nil, nil)
	var over atomic.Bool
	var stuck, looks int
	var looking sync.WaitGroup
	first := make(chan struct{})
	looking.Go(func() {
		for !over.Load() {
			if b.Stuck() {
				stuck++
			}
			if looks++; looks == 1 {
				close(first)
			}
		}
	})
	<-first
	var down func(i int)
	down = func(i int) {
		if i < 0 {
			return
		}
		_, leave := chain[i].Enter(context.Background(), chain[i+1], nil)
		defer leave()
		down(i - 1)
	}
	for range 20_000 {
		down(last - 1)
	}
	over.Store(true)
	looking.Wait()
	require.Zero(t, stuck, "of %d", looks)
	leave()
	require.True(t, b.Stuck())
}

func TestWhoeverIsAboutToLeaveIsNotTakenForWaiting(t *testing.T) {
	alone(t, "but its input for moving", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		kept := b.Account("Zip", false).Reservation()
		all, err := two.Reserve(context.Background(), 1)
		require.NoError(t, err)
		all.Resize(128 * kib)
		kept.Take(all, all.Bytes())
		ctx, cancel := context.WithCancelCause(context.Background())
		errs, ended := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := one.Reserve(ctx, 1)
			errs <- err
		}()
		go func() { ended <- holdAll(t, two, kept) }()
		synctest.Wait()
		cancel(errTest)
		all.Settle() // and all of two waits, while one may not have been woken yet
		require.Equal(t, errTest, <-errs)
		synctest.Wait()
		require.Empty(t, ended)
		one.Done()
		isHeld(t, <-ended)
	})
}

func TestTwoWorkersThatWaitAreOneReading(t *testing.T) {
	alone(t, "and another one still moves", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		source := b.Source("in")
		twice := b.Task(source, source)
		_, leave := twice.Enter(context.Background(), nil, nil)
		first, leaveFirst := source.Enter(context.Background(), twice, nil)
		_, leaveSecond := source.Enter(context.Background(), twice, nil)
		kept := b.Account("Zip", false).Reservation()
		kept.Take(b.KeptReservation(), 64*kib)
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := source.Input().Reserve(first, 1)
				errs <- err
			}()
		}
		synctest.Wait()
		require.Empty(t, errs)
		leaveSecond()
		isHeld(t, <-errs)
		isHeld(t, <-errs)
		leaveFirst()
		leave()
	})
}

func TestAReadingOfWhichAPageHasFailedIsNotTakenForWaiting(t *testing.T) {
	alone(t, "until it has returned", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.Source("one"), b.Source("two")
		ctx, leaveOne := one.Enter(context.Background(), nil, nil)
		other, leaveTwo := two.Enter(context.Background(), nil, nil)
		kept := b.Account("Zip", false).Reservation()
		bad, err := one.Input().Reserve(ctx, 1)
		require.NoError(t, err)
		all, err := two.Input().Reserve(other, 1)
		require.NoError(t, err)
		all.Resize(256 * kib)
		kept.Take(all, all.Bytes())
		ctx, cancel := context.WithCancelCause(ctx)
		errs, ended := make(chan error, 2), make(chan error, 1)
		wait := func() {
			go func() { // another worker
				_, err := one.Input().Reserve(ctx, 1)
				errs <- err
			}()
		}
		wait()
		go func() {
			_, err := two.Input().Reserve(other, 1)
			ended <- err
		}()
		synctest.Wait()
		all.Settle()
		bad.Finish(errTest)
		synctest.Wait()
		wait()
		synctest.Wait()
		require.Empty(t, errs, "it waits to be cancelled")
		require.Empty(t, ended)
		cancel(errTest)
		require.Equal(t, errTest, <-errs)
		require.Equal(t, errTest, <-errs)
		synctest.Wait()
		require.Empty(t, ended)
		leaveOne()
		isHeld(t, <-ended)
		leaveTwo()
	})
}
