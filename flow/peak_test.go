package flow_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// gathered has the operator before the first input keep so many bytes, and hand them on in the Next
// of one page. They wait there for rows of the second input.
func (z *zipped) gathered(bytes, pageBytes int64) (batch, page *flow.Reservation) {
	z.t.Helper()
	batch, page = z.behind.Account("BatchA", false).Reservation(), z.page(z.inA, z.one, pageBytes)
	batch.Take(page, pageBytes)
	batch.Take(z.b.KeptReservation(), bytes-pageBytes) // of pages before
	batch.Emit()
	z.a.Waits()
	z.step.Starve()
	return batch, page
}

// promised requires that the peak is what is promised.
func promised(t *testing.T, b *flow.Budget) flow.Usage {
	t.Helper()
	u := b.Usage()
	require.LessOrEqual(t, u.PeakBytes, u.Budget+int64(u.PeakFetches)*u.LargestPage, "%+v", u)
	return u
}

func TestABatchThatWaitsInStep(t *testing.T) {
	alone(t, "uses up the budget, and is named where a holder before the other input has no room", func(t *testing.T) {
		z := newZipped(t, 1024*kib)
		defer z.end()
		batch, page := z.gathered(1008*kib, 8*kib)
		held := isHeld(t, <-z.hungry())
		require.Equal(t, "BatchA", held.Stage)
		require.Equal(t, 1008*kib, held.Held)
		u := promised(t, z.b)
		require.LessOrEqual(t, u.PeakFetches, 3, "its last page, what is spared of the batch, and one that is fetched")
		batch.Settle()
		page.Settle()
	})
	alone(t, "is spared what its last page was too large", func(t *testing.T) {
		z := newZipped(t, 1024*kib)
		defer z.end()
		batch, page := z.gathered(1032*kib, 16*kib)
		z.page(z.inB, z.two, 16*kib).Settle()
		z.page(z.inB, z.two, 16*kib).Settle()
		promised(t, z.b)
		batch.Settle()
		page.Settle()
	})
	alone(t, "is spared whatever is in it of pages that wait, as what a stage in step makes of several is", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		var pages []*flow.Reservation
		made := z.behind.Account("MergeSorted", false).Reservation()
		for range 3 {
			p, err := z.one.Input().Reserve(z.inA, 8*kib)
			require.NoError(t, err)
			pages = append(pages, p)
		}
		for _, p := range pages {
			p.Resize(5 << 20)
			made.Take(p, 5<<20)
		}
		made.Emit()
		z.a.Waits()
		z.step.Starve()
		p := z.page(z.inB, z.two, 5<<20)
		u := promised(t, z.b)
		require.EqualValues(t, 20<<20, u.PeakBytes)
		require.Equal(t, 4, u.PeakFetches, "each page once")
		p.Settle()
		made.Settle()
		for _, p := range pages {
			p.Settle()
		}
	})
}

func TestAnEstimateIsNoPeakAboveTheBudget(t *testing.T) {
	alone(t, "where pages of the input that waits in step are still on their way", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		page := z.page(z.inA, z.one, 4*kib)
		var ahead []*flow.Reservation
		for range 3 {
			p, err := z.one.Input().Reserve(z.inA, 24*kib)
			require.NoError(t, err)
			ahead = append(ahead, p)
		}
		z.a.Waits()
		z.step.Starve()
		batch := z.b.Account("Batch", false).Reservation()
		held := make(chan error, 1)
		go func() {
			for {
				p, err := z.two.Input().Reserve(z.inB, 4*kib)
				if err != nil {
					held <- err
					return
				}
				p.Resize(4 * kib)
				batch.Take(p, 4*kib)
				p.Settle()
			}
		}()
		isHeld(t, <-held)
		require.Equal(t, 128*kib, batch.Bytes(), "all of the budget")
		for _, p := range ahead {
			p.Resize(kib)
			p.Settle()
		}
		promised(t, z.b)
		batch.Settle()
		page.Settle()
		require.Zero(t, z.b.Usage().BytesInFlight)
	})
}

func TestAHolderIsLentPagesUntilItHoldsAll(t *testing.T) {
	alone(t, "also where it keeps little of each", func(t *testing.T) {
		b := flow.NewBudget(64 * kib)
		in := b.NewInput("in")
		batch := b.Account("Batch", false).Reservation()
		batch.Take(b.KeptReservation(), 50*kib)
		held := make(chan error, 1)
		go func() {
			for {
				p, err := in.Reserve(t.Context(), 16*kib)
				if err != nil {
					held <- err
					return
				}
				p.Resize(16 * kib)
				batch.Take(p, kib) // a filter has dropped the rest
				p.Settle()
			}
		}()
		synctest.Wait()
		require.Equal(t, 64*kib, isHeld(t, <-held).Held)
		promised(t, b)
		batch.Settle()
	})
}

func TestOneWhosePageNobodyWaitsForIsNotToldThatTheBudgetIsHeld(t *testing.T) {
	alone(t, "while the end of the input that is waited for is on its way", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		page := z.page(z.inA, z.one, 16*kib)
		rows := z.behind.Account("Buffer", true).Reservation()
		rows.Take(z.b.KeptReservation(), 128*kib)
		z.a.Waits()
		z.step.Starve()
		got := make(chan error, 1)
		go func() {
			p, err := z.one.Input().Reserve(z.inA, kib)
			if err == nil {
				p.Release()
			}
			got <- err
		}()
		synctest.Wait()
		last := len(z.leave) - 1
		z.leave[last]() // the second source has returned
		z.leave = z.leave[:last]
		z.group.Ended()
		synctest.Wait()
		require.Empty(t, got)
		z.step.Works() // the stage has been told
		z.a.GoesOn()
		rows.Settle()
		page.Settle()
		require.NoError(t, <-got)
	})
}
