package rxcqltest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

type sourcePlant = plant[rxcqltest.SourcePlace[[]int]]

// misread makes a place of sources that are wrong.
func misread(change func(b *book)) func(testing.TB) rxcqltest.SourcePlace[[]int] {
	return bookPlace(func(_ testing.TB, b *book) { change(b) })
}

func TestTheSuiteFindsWhatIsWrongWithASource(t *testing.T) {
	findsInBubble(t, rxcqltest.SourceRules[[]int](), slices.Concat(wrongPages(), wrongReaderCalls(), wrongWaits()))
}

func wrongPages() []sourcePlant {
	const numbered = "Pages of a part are numbered, and the last one says so"
	return []sourcePlant{
		{"Each row comes once, in the order of its part", "it turns a page of two rows around", misread(func(b *book) {
			b.read = func(_ *reading, p *flow.Page[[]int]) {
				if len(p.Rows) == 2 {
					slices.Reverse(p.Rows)
				}
			}
		})},
		{numbered, "it counts pages from 1", misread(func(b *book) {
			b.read = func(_ *reading, p *flow.Page[[]int]) { p.Page++ }
		})},
		{numbered, "no page is the last", misread(func(b *book) {
			b.read = func(r *reading, p *flow.Page[[]int]) { p.Last = p.Last && r.st.Run().HasCheckpoint() }
		})},
		{"A source has as many parts as it says", "it counts one more", misread(func(b *book) {
			b.says = func(parts int) int { return parts + 1 }
		})},
		{"A source has as many parts as it says", "it says that it has none", misread(func(b *book) {
			b.says = func(int) int { return 0 }
		})},
		{"A page is settled when what follows has settled it, and not before", "it settles what it has read", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				r.st.CountPage(len(p.Rows), 100)
				r.st.Receipt().Settle()
				err := r.out.Next(ctx, p)
				p.Finish(err)
				return err
			}
		})},
		{"A cancel is never taken for the end of the rows", "it takes it for that", misread(func(b *book) {
			var r *reading
			b.start = func(now *reading) error {
				r = now
				return nil
			}
			b.ended = func(err error) error {
				cancelled := err != nil && strings.Contains(err.Error(), "the context was ended on purpose")
				if cancelled && !b.stalls && !r.st.Run().HasCheckpoint() {
					return r.out.Done(context.Background(), false)
				}
				return err
			}
		})},
		{"After Stop Done says that reading was stopped, unless all rows have come", "it says that all has come", misread(func(b *book) {
			b.done = func(ctx context.Context, r *reading, _ bool) error { return r.out.Done(ctx, false) }
		})},
		{"The report counts each page and each row", "it counts rows twice", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				r.st.CountPage(2*len(p.Rows), 100)
				p.AddReceipt(r.st.Receipt())
				err := r.out.Next(ctx, p)
				p.Finish(err)
				return err
			}
		})},
		{"A page is charged to the budget with what its rows weigh", "it charges a byte, whatever it has read", misread(func(b *book) {
			b.read = func(_ *reading, p *flow.Page[[]int]) { p.Resize(1) }
		})},
		{"A row that has come does not change any more", "it uses the memory of rows again", misread(func(b *book) {
			var memory [bookPage]int
			b.read = func(_ *reading, p *flow.Page[[]int]) {
				for i := range p.Rows {
					memory[i] = p.Rows[i][0]
					p.Rows[i] = memory[i : i+1]
				}
			}
		})},
		{"With the least budget and a consumer that is slow the stream comes to its end", "it reserves two pages at once", misread(func(b *book) {
			b.deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], _ []byte) error {
				p.Resize(40 << 10)
				waits, cancel := context.WithTimeoutCause(ctx, time.Hour, errDown)
				defer cancel()
				next, err := r.st.Input().Reserve(waits, 40<<10)
				if err != nil {
					p.Finish(err)
					return err
				}
				err = handOn(ctx, r, p)
				next.Finish(err)
				return err
			}
		})},
		{"A stream is a description that may be run again, or says that it cannot", "its second run fails", misread(func(b *book) {
			b.start = func(r *reading) error {
				if r.runs > 1 {
					return errDown
				}
				return nil
			}
		})},
		{"A job that is broken off again and again goes on behind the pages that are settled", "it leaves a page out", misread(func(b *book) {
			b.from = func(at int) int { return at + bookPage }
		})},
		{"A job that is broken off again and again goes on behind the pages that are settled", "it goes on a row too early", misread(func(b *book) {
			b.from = func(at int) int { return at - 1 }
		})},
	}
}
