package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

func TestAPageIsLentToAnInputThatIsWaitedForAndToNoOther(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		for range 20 { // so that the second has had more
			z.page(z.inB, z.two, 30*kib).Settle()
		}
		p := z.page(z.inA, z.one, 1)
		z.a.Waits()
		z.step.Starve()
		kept := z.b.Account("Batch", false).Reservation()
		kept.Take(z.b.KeptReservation(), 128*kib-p.Bytes()-16*kib)
		ctx, cancel := context.WithCancelCause(z.inA)
		lent := make(chan error, 1)
		go func() {
			for {
				l, err := z.one.Input().Reserve(ctx, 1<<30)
				if err != nil {
					lent <- err
					return
				}
				defer l.Settle()
			}
		}()
		synctest.Wait()
		second := z.page(z.inB, z.two, 16*kib) // though the first has had less, and asked before
		kept.Take(second, 16*kib)
		second.Settle()
		cancel(errTest)
		require.Equal(t, errTest, <-lent)
		p.Settle()
	})
}

func TestACallInTheContextOfAnotherRunIsNotOfThatRun(t *testing.T) {
	alone(t, "as where a function of a user reads a stream", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		z.a.Waits()
		z.step.Starve()
		b := flow.NewBudget(64 * kib)
		in := b.Source("in")
		other := b.Task(in).InStep()
		inlet, _ := other.Inlet(z.inA)
		ctx, leave := in.Enter(inlet, nil, nil)
		defer leave()
		other.Starve() // with nothing that waits
		p, err := in.Input().Reserve(ctx, 1)
		require.NoError(t, err)
		require.False(t, b.Stuck(), "its page moves")
		p.Settle()
	})
}
