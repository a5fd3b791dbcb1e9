package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// reserves takes all room that an input finds at once, and one page more, which waits. It
// returns what is sent when that is granted.
func reserves(ctx context.Context, t *testing.T, in *flow.Input) <-chan error {
	t.Helper()
	granted := make(chan error, 100)
	go func() {
		for range 4 { // 32 KiB each, of 128
			_, err := in.Reserve(ctx, 1<<30)
			granted <- err
		}
	}()
	synctest.Wait()
	require.Len(t, granted, 3)
	for range 3 {
		require.NoError(t, <-granted)
	}
	return granted
}

func TestTheCreditOfASourceThatHasEndedIsFree(t *testing.T) {
	alone(t, "if nobody can read it again", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.Source("one"), b.Source("two")
		_, leaveOne := one.Enter(context.Background(), nil, nil)
		ctx, leaveTwo := two.Enter(context.Background(), nil, nil)
		granted := reserves(ctx, t, two.Input())
		leaveOne()
		require.NoError(t, <-granted)
		leaveTwo()
	})
	alone(t, "or has said that it reserves nothing more", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.Source("one"), b.Source("two")
		_, leaveOne := one.Enter(context.Background(), nil, nil)
		ctx, leaveTwo := two.Enter(context.Background(), nil, nil)
		granted := reserves(ctx, t, two.Input())
		one.Input().Done()
		require.NoError(t, <-granted)
		leaveOne()
		leaveTwo()
	})
	alone(t, "and is kept until then", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.Source("one"), b.Source("two")
		twice := b.Task(one, one)
		_, leaveTwice := twice.Enter(context.Background(), nil, nil)
		_, leaveOne := one.Enter(context.Background(), twice, nil)
		ctx, leaveTwo := two.Enter(context.Background(), nil, nil)
		granted := reserves(ctx, t, two.Input())
		leaveOne()
		synctest.Wait()
		require.Empty(t, granted)
		leaveTwice()
		require.NoError(t, <-granted)
		leaveTwo()
	})
}

func TestAStageMayReadASourceAsOftenAsItHasItAmongItsInputs(t *testing.T) {
	alone(t, "at once, in goroutines that it has", func(t *testing.T) {
		b := holdsAll()
		in := b.Source("in")
		twice := b.Task(in, in)
		stageCtx, leave := twice.Enter(context.Background(), nil, nil)
		group := twice.Group(stageCtx)
		group.Started()
		ctx, leaveFirst := in.Enter(context.Background(), twice, nil)
		held := make(chan error, 1)
		go func() {
			_, err := in.Input().Reserve(ctx, 1)
			held <- err
		}()
		synctest.Wait()
		require.Empty(t, held, "the other goroutine may begin it once more")
		group.Ended()
		isHeld(t, <-held)
		leaveFirst()
		leave()
	})
}

func TestWhenOneHasLeftItIsFoundThatTheOthersWaitForEver(t *testing.T) {
	alone(t, "though nothing was found while it was about to", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.Source("in")
		ctx, leave := in.Enter(context.Background(), nil, nil)
		all, err := in.Input().Reserve(ctx, 1)
		require.NoError(t, err)
		all.Resize(64 * kib)
		kept := b.Account("Zip", false).Reservation()
		kept.Take(all, all.Bytes())
		leaving, cancel := context.WithCancelCause(ctx)
		left, held := make(chan error, 1), make(chan error, 1)
		for worker, errs := range map[context.Context]chan error{leaving: left, ctx: held} {
			go func() {
				_, err := in.Input().Reserve(worker, 1)
				errs <- err
			}()
		}
		synctest.Wait()
		cancel(errTest)
		all.Settle()
		require.Equal(t, errTest, <-left)
		isHeld(t, <-held)
		require.False(t, b.Stuck(), "it waits no more, and may go on")
		leave()
	})
}
