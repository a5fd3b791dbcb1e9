package flow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// holdsAll is a budget of which a holder has all.
func holdsAll() *flow.Budget {
	b := flow.NewBudget(64 * kib)
	b.Account("Keep", false).Reservation().Take(b.KeptReservation(), 64*kib)
	return b
}

func TestASinkThatReadsAStreamDoesNotReadItAgain(t *testing.T) {
	alone(t, "so what waits in it may wait for ever", func(t *testing.T) {
		b := holdsAll()
		in, sink := b.Source("in"), b.Task()
		ctx, leave := in.Enter(context.Background(), sink)
		_, err := in.Input().Reserve(ctx, 1)
		isHeld(t, err)
		leave()
	})
}

func TestAGoroutineThatFailedIsCountedUntilItsGroupHasBeenWaitedFor(t *testing.T) {
	alone(t, "and no longer", func(t *testing.T) {
		b := holdsAll()
		in := b.Source("in")
		stage := b.Task(in, in)
		_, leave := stage.Enter(context.Background(), nil)
		ctx, leaveIn := in.Enter(context.Background(), stage)
		require.False(t, b.Stuck(), "it has not asked for room yet")
		group := stage.Group()
		for range 3 { // of which two fail
			group.Started()
		}
		group.Wait()
		group.Ended()
		require.False(t, b.Stuck())
		group.Waited()
		_, err := in.Input().Reserve(ctx, 1)
		isHeld(t, err)
		leaveIn()
		leave()
	})
}

func TestAStreamThatIsReadByManyIsLookedAtOnce(t *testing.T) {
	b := flow.NewBudget(64 * kib)
	last := b.Source("in")
	for range 60 { // 2 to the 60 ways to the source
		last = b.Task(b.Task(last), b.Task(last))
	}
	require.False(t, b.Stuck(), "it may begin")
	_, leave := last.Enter(context.Background(), nil)
	require.False(t, b.Stuck())
	leave()
	require.True(t, b.Stuck())
}
