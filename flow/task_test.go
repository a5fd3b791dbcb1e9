package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

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
		ctx, leave := in.Enter(context.Background(), sink, nil)
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
		stageCtx, leave := stage.Enter(context.Background(), nil, nil)
		ctx, leaveIn := in.Enter(context.Background(), stage, nil)
		require.False(t, b.Stuck(), "it has not asked for room yet")
		group := stage.Group(stageCtx)
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
	_, leave := last.Enter(context.Background(), nil, nil)
	require.False(t, b.Stuck())
	leave()
	require.True(t, b.Stuck())
}

func TestAReservationOfAnUnknownReadingStopsOneOfThem(t *testing.T) {
	alone(t, "so that another still moves", func(t *testing.T) {
		b := holdsAll()
		in := b.Source("in")
		twice := b.Task(in, in)
		_, leave := twice.Enter(context.Background(), nil, nil)
		_, leaveFirst := in.Enter(context.Background(), twice, nil)
		_, leaveSecond := in.Enter(context.Background(), twice, nil)
		held := make(chan error, 1)
		go func() {
			_, err := in.Input().Reserve(context.Background(), 1)
			held <- err
		}()
		synctest.Wait()
		require.Empty(t, held)
		leaveSecond()
		isHeld(t, <-held)
		leaveFirst()
		leave()
	})
}

// watching is an observer that looks at the budget while it takes a page.
type watching struct {
	b     *flow.Budget
	said  []flow.Advance
	stuck bool
}

func (w *watching) Next(_ context.Context, p *flow.Page[int]) error {
	w.said = append(w.said, p.Advance())
	w.stuck = w.stuck || w.b.Stuck()
	return nil
}

func (w *watching) Done(context.Context, bool) error { return nil }

func TestWhatIsToldOfPartsMovesUntilAllIsTold(t *testing.T) {
	b := holdsAll()
	in := b.Source("in")
	_, leave := in.Enter(context.Background(), nil, nil)
	leave()
	require.True(t, b.Stuck())
	var parts flow.Advances
	a, none := flow.Advance{Position: flow.Position{Range: 1, Last: true}}, flow.Advance{Position: flow.Position{Range: 2}}
	parts.Add(a)
	parts.Add(none)
	w := &watching{b: b}
	require.NoError(t, flow.Tell(context.Background(), b.Account("Batch", true), &parts, w))
	require.Equal(t, []flow.Advance{a}, w.said)
	require.False(t, w.stuck)
	require.True(t, b.Stuck())
	require.NoError(t, flow.Tell(context.Background(), b.Account("Batch", true), &parts, w))
	require.Len(t, w.said, 1, "it is told once")
}
