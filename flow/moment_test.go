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
			kept := b.Account("Zip", false).Lease()
			small, err := slow.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			small.Correct(bytes)
			held := make(chan error, 1)
			go func() { held <- holdAll(t, fast, kept) }()
			synctest.Wait()
			small.End()
			next, err := slow.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			next.End()
			slow.Done()
			isHeld(t, <-held)
		})
	}
}

func TestWhereAllWaitEachInputIsLentAPage(t *testing.T) {
	alone(t, "also where hardly any room is left", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		kept := b.Account("Zip", false).Lease()
		l, err := one.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		l.Correct(128*kib - 1)
		kept.Take(l, l.Bytes())
		l.End()
		errs := make(chan error, 2)
		for _, in := range []*flow.Input{one, two} {
			go func() {
				l, err := in.Reserve(context.Background(), 1<<30)
				if err == nil {
					require.EqualValues(t, 1, l.Bytes())
					l.Release()
					in.Done()
				}
				errs <- err
			}()
		}
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
		kept.End()
	})
}

func TestAPageThatAHolderHandsOnMovesUntilItsDeliveryReturns(t *testing.T) {
	alone(t, "be all its bytes taken", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		first, second := b.Account("Concurrent", true).Lease(), b.Account("Batch", false).Lease()
		require.NoError(t, hold(t, in, first))
		first.Emit()
		second.Take(first, first.Bytes()) // the batch is full, and about to go on
		got := make(chan error, 1)
		go func() {
			got <- holdAll(t, in, second)
		}()
		synctest.Wait()
		require.Empty(t, got)
		first.End()
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
	_, leave := chain[last].Enter(context.Background(), nil)
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
		_, leave := chain[i].Enter(context.Background(), chain[i+1])
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
