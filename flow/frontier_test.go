package flow_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

func at(seconds int64) flow.Watermark { return flow.WatermarkAt(time.Unix(seconds, 0)) }

// heldBy is a frontier and the pages that it has let go of.
type heldBy struct {
	*flow.Frontier
	account *flow.Account
	settled []int64 // the ends that they were held until
}

func newHeldBy(change func(c *flow.FrontierConfig)) *heldBy {
	budget := flow.NewBudget(1 << 20)
	c := flow.FrontierConfig{Stage: "Window", Account: budget.Account("Window", false)}
	if change != nil {
		change(&c)
	}
	return &heldBy{Frontier: flow.NewFrontier(c), account: budget.Account("pages", false)}
}

// page has a page held until then.
func (h *heldBy) page(until int64) error {
	page := h.account.Reservation()
	page.AddReceipt(flow.NewReceipt(func() { h.settled = append(h.settled, until) }))
	defer page.Settle()
	return h.Hold(page, at(until))
}

func (h *heldBy) saved() flow.Watermark {
	upTo, _ := h.Saved(false)
	return upTo
}

func TestAFrontierMovesInTheOrderOfItsReceiptsWhateverIsDurableFirst(t *testing.T) {
	h := newHeldBy(nil)
	require.NoError(t, h.page(20))
	require.NoError(t, h.page(10))
	require.NoError(t, h.page(30))
	first, second := h.Receipt(at(10)), h.Receipt(at(20))
	second.Settle()
	require.Empty(t, h.settled)
	require.Zero(t, h.saved())
	first.Settle()
	require.Equal(t, []int64{10, 20}, h.settled)
	require.Equal(t, at(20), h.saved())
	h.Durable(at(15))
	require.Equal(t, at(20), h.saved(), "it never goes back")
	pages, _ := h.Held()
	require.Equal(t, int64(1), pages)
}

func TestAPageIsSettledWhenTheFrontierThatIsSavedHasPassedIt(t *testing.T) {
	h := newHeldBy(nil)
	page := h.account.Reservation()
	var then flow.Watermark
	page.AddReceipt(flow.NewReceipt(func() { then = h.saved() }))
	require.NoError(t, h.Hold(page, at(10)))
	page.Settle()
	h.Durable(at(12))
	require.Equal(t, at(12), then)
}

func TestAFrontierBehindAllWindowsIsSavedAsTheEndOfTheLastUnlessTheJobIsComplete(t *testing.T) {
	h := newHeldBy(func(c *flow.FrontierConfig) { c.Restored = at(5) })
	h.Durable(flow.Forever)
	require.Equal(t, at(5), h.saved(), "there were no windows")

	h = newHeldBy(nil)
	require.NoError(t, h.page(30))
	h.Durable(at(12))
	h.Durable(flow.Forever)
	require.Equal(t, []int64{30}, h.settled)
	require.Equal(t, at(30), h.saved())
	upTo, _ := h.Saved(true)
	require.Equal(t, flow.Forever, upTo)
}

func TestAFrontierWaitsForPartsToCatchUpUnlessTheStreamHasEnded(t *testing.T) {
	caughtUp := false
	h := newHeldBy(func(c *flow.FrontierConfig) { c.CaughtUp = func() bool { return caughtUp } })
	require.NoError(t, h.page(10))
	h.Durable(at(10))
	require.Empty(t, h.settled)
	require.Zero(t, h.saved())
	caughtUp = true
	h.Advance()
	require.Equal(t, []int64{10}, h.settled)
	require.Equal(t, at(10), h.saved())

	h = newHeldBy(func(c *flow.FrontierConfig) { c.CaughtUp = func() bool { return false } })
	require.NoError(t, h.page(10))
	h.Durable(flow.Forever)
	require.Equal(t, []int64{10}, h.settled)
}

func TestTheEndsOfSessionsAreKeptUntilTheFrontierHasPassedThem(t *testing.T) {
	h := newHeldBy(func(c *flow.FrontierConfig) {
		c.Restored, c.Ends = at(5), map[string]flow.Watermark{"a": at(20), "old": at(3)}
	})
	require.Equal(t, at(20), h.RestoredSession("a"))
	require.Equal(t, at(5), h.RestoredSession("old"))
	require.Equal(t, at(5), h.RestoredSession("unknown"))
	h.Receipt(at(6), flow.SessionEnd{Key: "b", End: at(8)}, flow.SessionEnd{Key: "a", End: at(19)}).Settle()
	_, ends := h.Saved(false)
	require.Equal(t, map[string]flow.Watermark{"a": at(20), "b": at(8)}, ends)
	written := h.Receipt(at(7), flow.SessionEnd{Key: "c", End: at(9)})
	_, ends = h.Saved(false)
	require.NotContains(t, ends, "c", "it is not durable")
	written.Settle()
	h.Durable(at(8))
	_, ends = h.Saved(false)
	require.Equal(t, map[string]flow.Watermark{"a": at(20), "c": at(9)}, ends)
}

// Operators may hand on a page in pieces.
func TestAPageThatComesInPiecesIsHeldOnceUntilTheLastOfTheEnds(t *testing.T) {
	h := newHeldBy(nil)
	page := h.account.Reservation()
	settled := false
	page.AddReceipt(flow.NewReceipt(func() { settled = true }))
	held := func(until int64) (pages int64) {
		require.NoError(t, h.Hold(page, at(until)))
		pages, _ = h.Held()
		return pages
	}
	require.EqualValues(t, 1, held(20))
	require.EqualValues(t, 1, held(10))
	require.EqualValues(t, 2, held(30))
	page.Settle()
	h.Durable(at(20))
	require.False(t, settled)
	h.Durable(at(30))
	require.True(t, settled)
}

func TestTheEndsOfSessionsThatAreBehindTakeNoMemory(t *testing.T) {
	most := 0
	h := newHeldBy(func(c *flow.FrontierConfig) {
		c.MaxSessions = 200
		c.Fail = func(err error) { require.NoError(t, err) }
	})
	for n := range int64(10_000) {
		h.Receipt(at(n), flow.SessionEnd{Key: strconv.FormatInt(n, 10), End: at(n + 50)}).Settle()
		if n%1000 == 999 {
			_, ends := h.Saved(false)
			most = max(most, len(ends))
		}
	}
	require.Equal(t, 50, most)
}

func TestAFrontierSaysWhenItIsFull(t *testing.T) {
	h := newHeldBy(func(c *flow.FrontierConfig) { c.MaxPages = 2 })
	require.NoError(t, h.page(10))
	require.NoError(t, h.page(10))
	var full *flow.FrontierFullError
	require.ErrorAs(t, h.page(10), &full)
	require.Equal(t, int64(3), full.Pages)

	var failed error
	h = newHeldBy(func(c *flow.FrontierConfig) {
		c.MaxSessions, c.Fail = 1, func(err error) { failed = err }
	})
	h.Receipt(at(1), flow.SessionEnd{Key: "a", End: at(5)}).Settle()
	require.NoError(t, failed)
	h.Receipt(at(5), flow.SessionEnd{Key: "b", End: at(6)}).Settle()
	require.NoError(t, failed, "a is behind")
	h.Receipt(at(5), flow.SessionEnd{Key: "c", End: at(6)}).Settle()
	require.ErrorIs(t, failed, flow.ErrFrontierFull)
}

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
