package flow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// page reserves a page that arrives with so many bytes and one receipt.
func page(t *testing.T, in *flow.Input, bytes int64) (*flow.Reservation, *flow.Receipt) {
	t.Helper()
	l, err := in.Reserve(context.Background(), bytes)
	require.NoError(t, err)
	l.Resize(bytes)
	r := flow.NewReceipt(nil)
	l.AddReceipt(r)
	return l, r
}

func TestAReservationTakesAHoldOnceForEveryPageItIsTakenFrom(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	in, acc := b.NewInput("in"), b.Account("keep", false)
	first, r1 := page(t, in, 1000)
	second, r2 := page(t, in, 500)
	kept := acc.Reservation()
	for range 3 {
		kept.Take(first, 100)
	}
	require.Equal(t, 1, kept.Receipts())
	kept.Take(second, 50)
	kept.Take(first, 0)
	require.EqualValues(t, 350, kept.Bytes())
	require.EqualValues(t, 350, acc.Held())
	require.EqualValues(t, 700, first.Bytes())
	first.Finish(nil)
	second.Finish(nil)
	require.False(t, r1.Settled())
	require.False(t, r2.Settled())
	require.EqualValues(t, 350, b.Usage().BytesInFlight)

	kept.Settle()
	require.True(t, r1.Settled())
	require.True(t, r2.Settled())
	require.True(t, kept.Empty())
	require.Zero(t, acc.Held())
	require.Zero(t, b.Usage().BytesInFlight)
}

func TestAReservationChargesOnTopWhatThePageCannotGive(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	in, acc := b.NewInput("in"), b.Account("keep", false)
	from, _ := page(t, in, 100)
	kept := acc.Reservation()
	kept.Take(from, 250)
	require.Zero(t, from.Bytes())
	require.EqualValues(t, 250, b.Usage().BytesInFlight)
	from.Settle()
	kept.Settle()
	require.Zero(t, b.Usage().BytesInFlight)
}

func TestEmittedRowsAreNoLongerTheHoldersAffair(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	in, acc, next := b.NewInput("in"), b.Account("first", false), b.Account("second", false)
	from, r := page(t, in, 1000)
	kept := acc.Reservation()
	kept.Take(from, 1000)
	from.Settle()
	kept.Emit()
	require.Zero(t, acc.Held())
	require.EqualValues(t, 1000, b.Usage().BytesInFlight)

	again := next.Reservation() // a second holder downstream
	again.Take(kept, 400)
	require.EqualValues(t, 400, next.Held())
	kept.Settle()
	require.EqualValues(t, 400, b.Usage().BytesInFlight)
	require.False(t, r.Settled())
	again.Settle()
	require.True(t, r.Settled())
	require.Zero(t, b.Usage().BytesInFlight)
}

func TestAPageDeliveredWithAnErrorStaysUnsettledAndGivesItsBytesBack(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	l, r := page(t, b.NewInput("in"), 1000)
	l.Finish(errTest)
	require.False(t, r.Settled())
	require.Zero(t, b.Usage().BytesInFlight)
	l.Release() // again changes nothing
	require.Zero(t, b.Usage().BytesInFlight)
}

func TestAReservationOwesAllReceiptsItWasGiven(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	l := b.KeptReservation()
	var receipts []*flow.Receipt
	for range 5 {
		r := flow.NewReceipt(nil)
		receipts = append(receipts, r)
		l.AddReceipt(r)
	}
	l.Settle()
	for _, r := range receipts {
		require.True(t, r.Settled())
	}
	l.Settle() // nothing is left to settle
}

func TestBytesAreTakenWithoutTheReceiptsOfTheirPage(t *testing.T) {
	b := flow.NewBudget(1 << 20)
	in, acc := b.NewInput("in"), b.Account("keep", false)
	from, receipt := page(t, in, 100)
	kept := acc.Reservation()
	kept.TakeBytes(from, 70)
	require.EqualValues(t, 30, from.Bytes())
	require.EqualValues(t, 70, acc.Held())
	require.EqualValues(t, 100, b.Usage().BytesInFlight, "nothing is on top of the page")
	require.Zero(t, kept.Receipts())

	kept.TakeBytes(from, 50)
	kept.TakeBytes(nil, 5)
	kept.TakeBytes(from, -3)
	require.Zero(t, from.Bytes())
	require.EqualValues(t, 125, acc.Held())
	require.EqualValues(t, 125, b.Usage().BytesInFlight)
	from.Settle()
	require.True(t, receipt.Settled())
	kept.Settle()
	require.Zero(t, b.Usage().BytesInFlight)
}
