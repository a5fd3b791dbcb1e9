package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// twice is a source that a stage reads twice in step.
func twice(limit int64) (b *flow.Budget, step *flow.InStep, in *flow.Input, first *flow.Inlet, inFirst, inSecond context.Context, leave func()) {
	b = flow.NewBudget(limit)
	source := b.Source("in")
	zip := b.Task(source, source)
	ctx, leaveZip := zip.Enter(context.Background(), nil, nil)
	group := zip.Group(ctx)
	group.Started()
	group.Started()
	group.Wait()
	step = zip.InStep()
	inFirst, first = step.Inlet(ctx)
	inSecond, _ = step.Inlet(ctx)
	inFirst, leaveFirst := source.Enter(inFirst, zip, nil)
	inSecond, leaveSecond := source.Enter(inSecond, zip, nil)
	return b, step, source.Input(), first, inFirst, inSecond, func() {
		leaveSecond()
		leaveFirst()
		leaveZip()
	}
}

func TestASourceThatIsReadTwiceInStep(t *testing.T) {
	alone(t, "gets a page for the reading that is waited for, however large that of the other", func(t *testing.T) {
		_, step, in, first, inFirst, inSecond, leave := twice(64 * kib)
		defer leave()
		large, err := in.Reserve(inFirst, 1)
		require.NoError(t, err)
		large.Resize(5 << 20)
		got := make(chan *flow.Reservation)
		go func() {
			p, _ := in.Reserve(inSecond, 1<<30)
			got <- p
		}()
		synctest.Wait()
		first.Waits()
		step.Starve()
		p := <-got
		require.NotNil(t, p)
		p.Settle()
		large.Settle()
	})
	alone(t, "gets one also where the page of the other has become one of a stage", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		source := b.Source("in")
		inner := b.Task(source)
		zip := b.Task(inner, source)
		ctx, leaveZip := zip.Enter(context.Background(), nil, nil)
		defer leaveZip()
		step := zip.InStep()
		toInner, first := step.Inlet(ctx)
		toSource, _ := step.Inlet(ctx)
		toInner, leaveInner := inner.Enter(toInner, zip, nil)
		defer leaveInner()
		toFirst, leaveFirst := source.Enter(toInner, inner, nil)
		defer leaveFirst()
		toSecond, leaveSecond := source.Enter(toSource, zip, nil)
		defer leaveSecond()
		large, err := source.Input().Reserve(toFirst, 1)
		require.NoError(t, err)
		large.Resize(5 << 20)
		made := inner.Account("Zip", false).Reservation()
		made.Take(large, 5<<20)
		made.Emit()
		first.Waits()
		step.Starve()
		p, err := source.Input().Reserve(toSecond, 1<<30)
		require.NoError(t, err)
		p.Resize(5 << 20)
		rep := b.Usage()
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
		p.Settle()
		made.Settle()
		large.Settle()
	})
	alone(t, "is found out where a holder has all that the one reading brings", func(t *testing.T) {
		b, step, in, first, inFirst, inSecond, leave := twice(64 * kib)
		defer leave()
		p, err := in.Reserve(inFirst, 1)
		require.NoError(t, err)
		first.Waits()
		step.Starve()
		kept := b.Account("Batch", false).Reservation()
		kept.Take(b.KeptReservation(), 64*kib)
		_, err = in.Reserve(inSecond, 1)
		isHeld(t, err)
		p.Settle()
	})
	alone(t, "is not found out while a reservation waits that may be of either", func(t *testing.T) {
		b, step, in, first, inFirst, inSecond, leave := twice(64 * kib)
		defer leave()
		p, err := in.Reserve(inFirst, 1)
		require.NoError(t, err)
		kept := b.Account("Batch", false).Reservation()
		kept.Take(b.KeptReservation(), 64*kib)
		held := make(chan error, 2)
		go func() {
			_, err := in.Reserve(context.Background(), 1)
			held <- err
		}()
		synctest.Wait()
		first.Waits()
		step.Starve()
		synctest.Wait()
		require.Empty(t, held, "the second reading has not asked for room")
		go func() {
			_, err := in.Reserve(inSecond, 1)
			held <- err
		}()
		isHeld(t, <-held)
		isHeld(t, <-held)
		p.Settle()
	})
}
