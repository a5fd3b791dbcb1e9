package flow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// taking calls what a stage with windows does in Next.
type taking func(p *flow.Page[int]) error

func (fn taking) Next(_ context.Context, p *flow.Page[int]) error { return fn(p) }
func (fn taking) Done(context.Context, bool) error                { return nil }

// delivered delivers a page of so many rows of a part.
func delivered(t *testing.T, track *flow.Track, rows int, next string, out flow.Observer[int]) error {
	t.Helper()
	reservation, err := flow.NewBudget(1<<20).Source("source").Input().Reserve(t.Context(), 64)
	require.NoError(t, err)
	p := &flow.Page[int]{Rows: make([]int, rows), Reservation: reservation}
	return flow.Deliver(t.Context(), track, p, int64(rows), []byte(next), flow.Observer[int](rereading{out}))
}

// rereading is what the engine puts behind a source.
type rereading struct{ flow.Observer[int] }

func (r rereading) Next(ctx context.Context, p *flow.Page[int]) error {
	return flow.Reread(ctx, p, r.Observer)
}

func TestAPartIsReadUpToThePageThatIsStillOnItsWay(t *testing.T) {
	read := &reader{}
	track := flow.NewTrack(read, read, flow.Part{Range: flow.WholeRange}, false)
	h := newHeldBy(nil)
	reads := func() (rows int64) {
		rows, _ = track.Read()
		return rows
	}
	require.NoError(t, delivered(t, track, 2, "a", taking(func(p *flow.Page[int]) error {
		require.NoError(t, h.Hold(p.Reservation, at(10)))
		h.Durable(at(20))
		require.Zero(t, reads())
		require.Zero(t, h.saved(), "the page has not come as a whole")
		return nil
	})))
	require.Equal(t, int64(2), reads())
	require.Equal(t, at(20), h.saved())
	require.Equal(t, 1, read.settled)

	var late *flow.Receipt
	require.NoError(t, delivered(t, track, 3, "b", taking(func(p *flow.Page[int]) error {
		late = h.Late(p.Reservation)
		return nil
	})))
	require.NoError(t, delivered(t, track, 1, "c", taking(func(*flow.Page[int]) error { return nil })))
	require.Equal(t, int64(2), reads(), "its late rows are on their way")
	late.Settle()
	rows, state := track.Read()
	require.Equal(t, int64(6), rows)
	require.Equal(t, "c", string(state))

	require.ErrorIs(t, delivered(t, track, 1, "d", taking(func(*flow.Page[int]) error { return errTest })), errTest)
	require.Equal(t, int64(6), reads(), "a page that failed was not read")
}

func TestAPageIsCutWhereTheRunBeforeHadRead(t *testing.T) {
	for first := 1; first <= 5; first++ {
		read := &reader{}
		track := flow.NewTrack(read, read, flow.Part{Range: flow.WholeRange, Pages: 1, Rows: 10, State: []byte("s"), Read: 13, ReadState: []byte("r")}, false)
		h := newHeldBy(nil)
		var counted, others int
		taken := taking(func(p *flow.Page[int]) error {
			if h.Counted(p.Reservation) {
				counted += len(p.Rows)
			} else {
				others += len(p.Rows)
			}
			return nil
		})
		rows, state := track.Read()
		require.Equal(t, int64(13), rows)
		require.Equal(t, "r", string(state))
		require.NoError(t, delivered(t, track, first, "a", taken))
		require.Equal(t, min(first, 3), counted)
		require.NoError(t, delivered(t, track, 4, "b", taken))
		require.Equal(t, 3, counted)
		require.Equal(t, first+1, others)
		require.Equal(t, []*flow.Track{track}, read.caughtUp)
	}
}

// A row that could not be read has its number too.
func TestAPageWithRowsThatFailedIsCutAtTheRowThatWasReadLast(t *testing.T) {
	read := &reader{}
	track := flow.NewTrack(read, read, flow.Part{Range: flow.WholeRange, Read: 3}, false)
	h := newHeldBy(nil)
	var sizes []int
	counting := taking(func(p *flow.Page[int]) error {
		sizes = append(sizes, len(p.Rows))
		require.Equal(t, len(sizes) == 1, h.Counted(p.Reservation))
		return nil
	})
	reservation, err := flow.NewBudget(1<<20).Source("source").Input().Reserve(t.Context(), 64)
	require.NoError(t, err)
	p := &flow.Page[int]{Rows: make([]int, 4), Reservation: reservation} // of six: rows 1 and 4 failed
	err = flow.Deliver(t.Context(), track, p, 6, []byte("a"), flow.Observer[int](failing{rereading{counting}}))
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, sizes, "rows 0 and 2; 3 and 5")
}

// failing reports rows 1 and 4 of the page.
type failing struct{ flow.Observer[int] }

func (f failing) Next(ctx context.Context, p *flow.Page[int]) error {
	p.CountFailedRow(1)
	p.CountFailedRow(4)
	return f.Observer.Next(ctx, p)
}

// Between the rows that were read before others have come since, so only the source knows which is
// which.
func TestASourceWhoseRowsHaveNoNumberSaysItselfWhichWereReadBefore(t *testing.T) {
	read := &reader{}
	track := flow.NewTrack(read, read, flow.Part{Range: flow.WholeRange, Pages: 1, Rows: 2, State: []byte("a"), Read: 4, ReadState: []byte("ab")}, false)
	track.ReadByState()
	h := newHeldBy(nil)
	var counted []bool
	page := func(rows int, state string, before bool) {
		reservation, err := flow.NewBudget(1<<20).Source("source").Input().Reserve(t.Context(), 64)
		require.NoError(t, err)
		if before {
			reservation.WasRead()
		}
		p := &flow.Page[int]{Rows: make([]int, rows), Reservation: reservation}
		require.NoError(t, flow.Deliver(t.Context(), track, p, 1, []byte(state), flow.Observer[int](rereading{taking(func(p *flow.Page[int]) error {
			counted = append(counted, h.Counted(p.Reservation))
			return nil
		})})))
	}
	page(3, "c", false)
	page(2, "bc", true)
	rows, state := track.Read()
	part, _ := track.Part()
	require.EqualValues(t, 7, part.Rows)
	require.Greater(t, rows, part.Rows, "some that were read have not come again")
	require.Equal(t, "ab", string(state))
	require.Empty(t, read.caughtUp)
	track.PassedRead()
	require.Equal(t, []*flow.Track{track}, read.caughtUp)
	page(1, "bcd", false)
	require.Equal(t, []bool{false, true, false}, counted)
	rows, state = track.Read()
	require.EqualValues(t, 8, rows)
	require.Equal(t, "bcd", string(state))
	track.PassedRead()
	require.Len(t, read.caughtUp, 1)
}
