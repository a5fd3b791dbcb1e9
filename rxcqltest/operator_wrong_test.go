package rxcqltest_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

type operatorPlant = plant[rxcqltest.OperatorPlace[[]int, []int]]

// wrongly makes a place of operators that are wrong.
func wrongly(change func(l *laggard)) func(testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
	return laggardPlace(func(_ testing.TB, l *laggard) { change(l) })
}

func hasJob(o *lagging) bool { return o.st.Run().HasCheckpoint() }

func TestTheSuiteFindsWhatIsWrongWithAnOperator(t *testing.T) {
	findsInBubble(t, rxcqltest.OperatorRules[[]int, []int](), slices.Concat(wrongRows(), wrongCalls(), wrongOperatorEnds(), wrongParts(), wrongReceipts(), wrongApart()))
}

func wrongRows() []operatorPlant {
	const comes = "Each row comes out as often as it is to, in the order of its part"
	return []operatorPlant{
		{comes, "it turns the rows of a page around", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { slices.Reverse(k.rows) }
		})},
		{comes, "it gives the only row of a page twice", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if len(k.rows) == 1 {
					k.rows = append(k.rows, k.rows[0])
				}
			}
		})},
		{"A stream is a description, and may be run again", "it remembers that it was run", wrongly(func(l *laggard) {
			var mu sync.Mutex
			over, late := false, map[*lagging]bool{} // begun when another run had ended
			l.start = func(o *lagging) {
				mu.Lock()
				defer mu.Unlock()
				late[o] = over
			}
			l.keep = func(o *lagging, k *kept, _ *flow.Page[[]int]) {
				mu.Lock()
				defer mu.Unlock()
				if late[o] {
					k.rows = nil
				}
			}
			l.ended = func(_ context.Context, o *lagging, err error) error {
				mu.Lock()
				defer mu.Unlock()
				over = !hasJob(o) // which has a run behind a run
				return err
			}
		})},
		{"Rows that come in are left as they are", "it works in place", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, _ *kept, p *flow.Page[[]int]) { clear(p.Rows) }
		})},
		{"Rows that are needed after Next are copied", "it keeps the page's rows", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, p *flow.Page[[]int]) { k.rows = p.Rows }
		})},
		{"A row that has come out does not change any more", "it uses the memory of a row again", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				err := giveRows(ctx, o, k)
				for _, row := range k.rows {
					clear(row)
				}
				return err
			}
		})},
		{"With the least budget and a consumer that is slow the stream comes to its end", "it keeps all pages to the end", wrongly(func(l *laggard) {
			l.depth = 1000
		})},
		{"Rows that are kept from page to page are charged to the budget", "it charges nothing", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { k.reservation.Release() }
		})},
	}
}

func wrongParts() []operatorPlant {
	const (
		handedOn = "The end of each part and its watermark are handed on, with pages without rows too"
		idle     = "That a part is idle is handed on, and that it is so no more"
		allParts = "What is said of all parts of a source is handed on, and their end behind their rows"
	)
	return []operatorPlant{
		{"A page is of the source and of the part that its rows are of, or says that they are mixed", "it does not say of which source", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if k.said.Page == 0 && len(k.rows) > 0 {
					k.said.Source = nil
				}
			}
		})},
		{"A page is of the source and of the part that its rows are of, or says that they are mixed", "it says that they are mixed, and has a watermark", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if k.said.Page == 0 && len(k.rows) > 0 {
					k.said.Range = -1
				}
			}
		})},
		{"Neither the end of a part nor a watermark overtakes a row", "it tells before it hands the rows on", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				if err := tell(ctx, o, k.said); err != nil {
					k.reservation.Finish(err)
					return err
				}
				return giveRows(ctx, o, k)
			}
		})},
		{handedOn, "the end of a part goes no further if it has no rows", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				if len(k.rows) == 0 && k.said.Last && k.said.Range >= 0 {
					k.reservation.Settle()
					return nil
				}
				return giveRows(ctx, o, k)
			}
		})},
		{idle, "a part that is idle looks like one that is not", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { k.said.Idle = nil }
		})},
		{idle, "it forgets what the source knew", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { k.said.Idle = flow.IdleAt(k.said.Idle.At()) }
		})},
		{idle, "a part that was idle stays so", wrongly(func(l *laggard) {
			idle := map[flow.PartID]*flow.Idle{}
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) {
				if k.said.Idle != nil {
					idle[k.said.PartID()] = k.said.Idle
				}
				k.said.Idle = idle[k.said.PartID()]
			}
		})},
		{allParts, "what is said of all parts goes no further", wrongly(func(l *laggard) {
			l.give = func(ctx context.Context, o *lagging, k *kept) error {
				if k.said.Range == flow.AllParts {
					k.reservation.Settle()
					return nil
				}
				return giveRows(ctx, o, k)
			}
		})},
		{handedOn, "watermarks go no further", wrongly(func(l *laggard) {
			l.keep = func(_ *lagging, k *kept, _ *flow.Page[[]int]) { k.said.Watermark = flow.Watermark{} }
		})},
	}
}
