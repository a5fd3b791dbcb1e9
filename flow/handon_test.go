package flow_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// leaving is an observer that does not return from Next.
type leaving func()

func (l leaving) Next(context.Context, *flow.Page[int]) error {
	l()
	return nil
}

func (leaving) Done(context.Context, bool) error { return nil }

func TestRowsThatAreHandedOnMoveNoMoreWhereDownstreamDoesNotReturn(t *testing.T) {
	for name, leave := range map[string]func(){"but panics": func() { panic(errTest) }, "but exits": runtime.Goexit} {
		alone(t, name, func(t *testing.T) {
			b := flow.NewBudget(64 * kib)
			account, receipt := b.Account("Zip", false), flow.NewReceipt(nil)
			kept := account.Reservation()
			kept.Take(b.KeptReservation(), 10*kib)
			kept.AddReceipt(receipt)
			left := make(chan struct{})
			go func() {
				defer close(left)
				defer func() { _ = recover() }()
				_ = flow.Emit(t.Context(), account, &flow.Page[int]{Reservation: kept}, nil, leaving(leave))
			}()
			<-left
			require.Zero(t, b.Usage().BytesInFlight)
			require.False(t, receipt.Settled(), "nobody knows what became of the rows")
			batch := b.Account("Batch", false).Reservation()
			batch.Take(b.KeptReservation(), 64*kib)
			_, err := b.NewInput("in").Reserve(t.Context(), 1)
			isHeld(t, err)
		})
	}
}
