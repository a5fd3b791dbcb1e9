package operators_test

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// unequal are rows with the numbers from, from + 2 and so on, in pages of the given number of rows.
// Of each page the row at large has ten thousand bytes of text, and the others none.
func unequal(from, rows, page, large int) rxcql.Stream[weighty] {
	return source.Seq(func(yield func(weighty, error) bool) {
		for i := range rows {
			row := weighty{n: from + 2*i}
			if i%page == large {
				row.text = huge[:10_000]
			}
			if !yield(row, nil) {
				return
			}
		}
	}, source.PageRows(page))
}

// carried is a page of pairs as it came to the sink: the rows of either side, and the bytes that
// came with them.
type carried struct {
	rows        int
	left, right int64 // bytes of the rows themselves
	with        int64
}

// carrier is a sink that notes what pages of pairs carry.
type carrier struct {
	gather[rxcql.Pair[weighty, weighty]]
	pages []carried
}

func (c *carrier) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[rxcql.Pair[weighty, weighty]], error) {
	_, err := c.gather.Open(ctx, r)
	return c, err
}

func (c *carrier) Write(_ context.Context, p *flow.Page[rxcql.Pair[weighty, weighty]]) error {
	size := rxcql.SizeFunc[weighty]()
	page := carried{rows: len(p.Rows), with: p.Bytes()}
	for i := range p.Rows {
		if p.Rows[i].HasLeft {
			page.left += int64(size(&p.Rows[i].Left))
		}
		if p.Rows[i].HasRight {
			page.right += int64(size(&p.Rows[i].Right))
		}
	}
	c.st.CountIn(len(p.Rows))
	c.st.CountWritten(len(p.Rows))
	if page.rows > 0 { // else it says how far a part has come
		c.pages = append(c.pages, page)
	}
	return nil
}

// carriedOut runs a stream into a carrier.
func carriedOut(t *testing.T, s rxcql.Stream[rxcql.Pair[weighty, weighty]]) []carried {
	t.Helper()
	to := &carrier{}
	_, err := rxcql.Run(t.Context(), s, to)
	require.NoError(t, err)
	return to.pages
}

// inStepOf are the operators that read in step, as pairs of the rows that they hand on. Numbers on
// the left are even, and those on the right are odd.
var inStepOf = map[string]func(a, b rxcql.Stream[weighty]) rxcql.Stream[rxcql.Pair[weighty, weighty]]{
	"Zip": func(a, b rxcql.Stream[weighty]) rxcql.Stream[rxcql.Pair[weighty, weighty]] {
		return operators.Zip(a, b, func(a, b weighty) (rxcql.Pair[weighty, weighty], error) {
			return rxcql.Pair[weighty, weighty]{Left: a, Right: b, HasLeft: true, HasRight: true}, nil
		})
	},
	"MergeSorted": func(a, b rxcql.Stream[weighty]) rxcql.Stream[rxcql.Pair[weighty, weighty]] {
		return operators.Map(operators.MergeSorted(byNumber, a, b), func(w weighty) (rxcql.Pair[weighty, weighty], error) {
			return rxcql.Pair[weighty, weighty]{Left: w, HasLeft: true}, nil
		})
	},
	"MergeJoin": func(a, b rxcql.Stream[weighty]) rxcql.Stream[rxcql.Pair[weighty, weighty]] {
		return operators.MergeJoin(a, b, number, number, cmp.Compare[int])
	},
}

func TestOfAPageThatIsReadInStepEachRowGoesOnWithItsOwnBytes(t *testing.T) {
	const rows, long, short = 2000, 500, 70
	for name, of := range inStepOf {
		for place, large := range map[string]int{"first": 0, "in the middle": 31, "last": short - 1} {
			t.Run(fmt.Sprint(name, ", the large row ", place), func(t *testing.T) {
				pages := carriedOut(t, of(unequal(0, rows, long, large), unequal(1, rows, short, large)))
				require.Greater(t, len(pages), rows/short, "pages were read in step")
				var own, with int64
				for i, page := range pages {
					require.GreaterOrEqual(t, page.with, page.left+page.right, "page %d of %d rows", i, page.rows)
					own, with = own+page.left+page.right, with+page.with
				}
				require.Equal(t, own, with, "nothing is charged on top")
			})
		}
	}
}

func TestARowOnTheLeftHasItsBytesWithTheFirstOfItsPairs(t *testing.T) {
	left := source.Of(weighty{0, huge[:10_000]}, weighty{2, ""})
	right := source.Seq(func(yield func(weighty, error) bool) {
		for range 800 {
			if !yield(weighty{0, ""}, nil) {
				return
			}
		}
	}, source.PageRows(400))
	pages := carriedOut(t, inStepOf["MergeJoin"](left, right))
	require.Equal(t, flow.DefaultPageRows, pages[0].rows, "it has pairs in the next page too")
	require.GreaterOrEqual(t, pages[0].with, int64(10_000))
}

func TestRowsOfAKeyThatAreKeptLeaveTheOthersOfTheirPageTheirBytes(t *testing.T) {
	left := source.Of(weighty{0, ""}, weighty{2, ""}, weighty{2, ""}, weighty{4, huge[:100]})
	right := source.Seq(func(yield func(weighty, error) bool) {
		for _, n := range []int{1, 2, 3, 5, 7} {
			if !yield(weighty{n, huge[:10_000]}, nil) {
				return
			}
		}
	})
	lone := func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { // in pages of one row
		return inBatchesOf(in, operators.BatchRows(1))
	}
	for i, page := range carriedOut(t, inStepOf["MergeJoin"](lone(left), right)) {
		if page.rows == 1 && page.left == 0 {
			require.GreaterOrEqual(t, page.with, page.right, "page %d", i)
		}
	}
}

// The large row is the first of its page. With a share by number it would leave seven eighths of
// its bytes with the page, and the Batch would be charged for these once more.
func TestABatchBehindRowsThatAreReadInStepIsNotChargedOnTopOfTheirPages(t *testing.T) {
	for name, of := range map[string]func(a, b rxcql.Stream[weighty]) rxcql.Stream[weighty]{
		"Zip":       zip,
		"MergeJoin": joined,
		"MergeSorted": func(a, b rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.MergeSorted(byNumber, a, b)
		},
	} {
		in := operators.Batch(of(unequal(0, 512, 512, 0), unequal(1, 512, 512, 0)), operators.BatchRows(2000))
		rep, err := in.ForEach(t.Context(), func([]weighty) error { return nil })
		require.NoError(t, err)
		const ends = 2 // a byte for the end of each side
		require.LessOrEqual(t, rep.PeakBytes, 2*rep.LargestPage+ends, "%s: these two pages are all that was read", name)
	}
}
