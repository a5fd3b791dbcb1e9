package operators_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// grove draws a tree of streams of which several may be read in step. Its operators hold from one
// row to more than any budget.
type grove struct {
	t      *rapid.T
	holds  int64 // bytes that all its operators may hold at once
	places int64 // bytes of places for results, which come on top
}

// grown is a stream of a grove.
type grown struct {
	stream rxcql.Stream[weighty]
	rows   int
	row    int64 // bytes of the largest row
}

func (g *grove) leaf() grown {
	rows := rapid.IntRange(0, 400).Draw(g.t, "rows")
	size := rapid.SampledFrom([]int{1, 100, 1000, 1000, 3000, 100_000}).Draw(g.t, "bytes of a row")
	if size > 3000 {
		rows = min(rows, 20)
	}
	every := rapid.IntRange(1, 5).Draw(g.t, "of which one is so large")
	in := source.Seq(func(yield func(weighty, error) bool) {
		for i := range rows {
			text := huge[:size]
			if i%every != 0 {
				text = ""
			}
			if !yield(weighty{i, text}, nil) {
				return
			}
		}
	}, source.PageRows(rapid.SampledFrom([]int{1, 7, 512}).Draw(g.t, "rows of a page")))
	one := rapid.SampledFrom([]int{1, 1, 2, 16}).Draw(g.t, "of which one is kept")
	in = operators.Filter(in, func(w weighty) bool { return w.n%one == 0 }) // so that little is kept of each page
	return grown{in, (rows + one - 1) / one, int64(size) + 24}
}

// place is what MapConcurrent takes for a result.
const place = 8 + int64(unsafe.Sizeof(weighty{})) + 1

var huge = strings.Repeat("x", 100_000)

// holder puts an operator that holds rows behind a stream.
func (g *grove) holder(in grown) grown {
	n := rapid.SampledFrom([]int{1, 2, 5, 30, 100, 1000}).Draw(g.t, "n")
	most := int64(min(n, in.rows)) * in.row
	s := in.stream
	switch rapid.IntRange(0, 6).Draw(g.t, "holder") {
	case 0:
		in.stream = operators.Buffer(s, n, rxcql.OverflowBlock, operators.BufferBytes(max(1, most)))
	case 1:
		calls := 1 + n%8
		held := int64(min(in.rows, 4*calls))
		most = held * (in.row + place)
		g.places += int64(in.rows) * place // a page may have them all
		in.stream = operators.MapConcurrent(s, calls, sameWeighty)
	case 2:
		in.stream = inBatchesOf(s, operators.BatchRows(n), operators.BatchLinger(time.Millisecond))
	case 3:
		in.stream = inBatchesOf(s, operators.BatchBytes(max(1, most)))
	case 4:
		in.stream = operators.Lanes(s, 1+n%3, number, func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.Map(in, func(w weighty) (weighty, error) { return w, nil })
		})
		most = 0
	default:
		in.stream = inBatchesOf(s, operators.BatchRows(n))
	}
	g.holds += most
	return in
}

func (g *grove) tree(depth int) grown {
	if depth == 0 {
		return g.leaf()
	}
	a := g.tree(depth - 1)
	kind := rapid.IntRange(0, 6).Draw(g.t, "kind")
	if kind < 2 {
		return g.holder(a)
	}
	b := g.tree(depth - 1)
	both := grown{rows: a.rows + b.rows, row: max(a.row, b.row)}
	switch kind {
	case 2:
		both.stream = operators.Merge(a.stream, b.stream)
	case 3:
		both.stream = operators.Concat(a.stream, b.stream)
	case 4:
		both.stream = operators.MergeSorted(allEqual, a.stream, b.stream)
	case 5:
		pairs := operators.MergeJoin(a.stream, b.stream, func(weighty) int { return 0 }, func(weighty) int { return 1 }, cmp.Compare[int])
		both.stream = operators.Map(pairs, func(p rxcql.Pair[weighty, weighty]) (weighty, error) {
			if p.HasLeft {
				return p.Left, nil
			}
			return p.Right, nil
		})
	default:
		both = grown{zip(a.stream, b.stream), min(a.rows, b.rows), a.row}
	}
	return both
}

// sink draws one that some operator before may hold rows for, and how many rows it gets of each.
func (g *grove) sink(in grown, into *met) rxcql.Sink[weighty] {
	all := sink.Each(into.take)
	batches := rapid.SampledFrom([]int{1, 30, 1000}).Draw(g.t, "batch before the sink")
	switch rapid.IntRange(0, 2).Draw(g.t, "sink") {
	case 0:
		g.holds += int64(min(batches, in.rows)) * in.row
		return sink.Through(func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return inBatchesOf(in, operators.BatchRows(batches))
		}, all)
	case 1:
		g.holds += int64(min(batches, in.rows)) * in.row
		nothing := sink.Each(func(context.Context, []weighty) error { return nil })
		return sink.Tee(all, sink.Through(func(in rxcql.Stream[weighty]) rxcql.Stream[[]weighty] {
			return operators.Batch(in, operators.BatchRows(batches))
		}, nothing))
	}
	return all
}

// Whatever the operators hold, the peak is what is promised, and a run ends with all rows or with
// the error that the budget is held. That error is true: all that operators may hold at once is
// more than the budget, and with a budget for that the same run goes through.
func TestNoGroveOfLargeBatchesPassesThePeakOrIsTakenForStuck(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := &grove{t: rt}
		in := g.tree(rapid.IntRange(1, 4).Draw(rt, "depth"))
		got := &met{rows: map[int]int{}}
		to := g.sink(in, got)
		least := sourcesOf(in.stream) * rxcql.MinBudgetPerInput
		budget := least * rapid.SampledFrom([]int64{1, 1, 2, 4, 16}).Draw(rt, "times the least budget")
		run := func(budget int64) error {
			clear(got.rows)
			var rep rxcql.Report
			var err error
			inBubble(t, func() { rep, err = rxcql.Run(context.Background(), in.stream, to, rxcql.WithBudget(budget)) })
			promised(rt, rep, g.places)
			require.Zero(rt, rep.BytesInFlight)
			if err == nil {
				come := 0
				for _, times := range got.rows {
					come += times
				}
				require.Equal(rt, in.rows, come)
				require.Equal(rt, rep.Pages, rep.PagesSettled)
			}
			return err
		}
		err := run(budget)
		if err == nil {
			return
		}
		var held *flow.BudgetHeldError
		require.True(rt, errors.As(err, &held), "%v", err)
		require.GreaterOrEqual(rt, g.holds, budget, "%v", err)
		require.NoError(rt, run(max(least, g.holds+1))) // and any room for a page
	})
}
