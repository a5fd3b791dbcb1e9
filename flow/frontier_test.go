package flow_test

import (
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
