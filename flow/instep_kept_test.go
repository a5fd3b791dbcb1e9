package flow_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// sideBySideFirst has the first source read two things side by side in four workers: each keeps a
// part of what it has read and waits for room to read on. A page of one of them waits in step.
func (z *zipped) sideBySideFirst() (kept []*flow.Reservation, page *flow.Reservation, refilled chan error) {
	z.t.Helper()
	refilled = make(chan error, 4)
	for range cap(refilled) {
		room, err := z.one.Input().Reserve(z.inA, 8*kib)
		require.NoError(z.t, err)
		room.Resize(28 * kib) // larger than it was estimated
		kept = append(kept, room)
	}
	page = kept[0].Split(4 * kib)
	z.a.Waits()
	for _, room := range kept {
		go func() {
			err := room.Refill(z.inA, 32*kib)
			room.Release()
			refilled <- err
		}()
	}
	synctest.Wait()
	require.Equal(z.t, 4, z.b.Waiting())
	z.step.Starve()
	return kept, page, refilled
}

func TestWhatIsKeptAndBlockedIsCountedOnce(t *testing.T) {
	alone(t, "so that rows which leave an operator by themselves are waited for", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		kept, page, refilled := z.sideBySideFirst()
		calls := z.b.Account("MapConcurrent", true).Reservation()
		p := z.page(z.inB, z.two, 16*kib)
		calls.Take(p, 16*kib)
		p.Settle()
		got := make(chan error, 1)
		go func() {
			p, err := z.two.Input().Reserve(z.inB, 32*kib)
			if err == nil {
				p.Release()
			}
			got <- err
		}()
		synctest.Wait()
		require.Empty(t, got, "the calls of MapConcurrent end in time")
		require.Empty(t, refilled)
		calls.Settle()
		require.NoError(t, <-got)

		z.two.Input().Done()
		z.step.Works()
		z.a.GoesOn()
		page.Settle()
		for range kept {
			require.NoError(t, <-refilled)
		}
		require.Zero(t, z.b.Usage().BytesInFlight)
	})
	alone(t, "and a holder before the other input is found out", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		kept, page, refilled := z.sideBySideFirst()
		require.Equal(t, "one", isHeld(t, <-z.hungry()).Stage, "which has more than the Batch")
		for range kept {
			isHeld(t, <-refilled)
		}
		page.Settle()
	})
}
