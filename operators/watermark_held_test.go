package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestAGroupHoldsBackTheWatermarkToWhereItBegan(t *testing.T) {
	var marks []flow.Watermark
	groups := earliest(script("A",
		happening{part: 0, mark: 3},
		happening{part: 0, at: []int{4, 5}, mark: 5},
		happening{part: 0, at: []int{6}, mark: 6}, // the same group
		happening{part: 0, mark: 7},
		happening{part: 0, at: []int{8, 9}, mark: 8},   // that ends it, and another begins
		happening{part: 0, at: []int{12, 13}, mark: 9}, // likewise
		happening{part: 0, last: true},
	))
	hear(t, spying(groups, func(p *flow.Page[timed]) { marks = append(marks, p.Watermark) }), &listening{heard: newHeard()})
	require.Equal(t, []flow.Watermark{markAt(3), markAt(7), markAt(8), markAt(9)}, marks)
}

func TestAGroupThatIsOpenAtTheEndHasTheLastWatermarkOfItsPart(t *testing.T) {
	var marks []flow.Watermark
	groups := earliest(script("A", // whose parts do not end, as before a Take
		happening{part: 0, at: []int{4}, mark: 5},
		happening{part: 0, mark: 7},
	))
	hear(t, spying(groups, func(p *flow.Page[timed]) { marks = append(marks, p.Watermark) }), &listening{heard: newHeard()})
	require.Equal(t, []flow.Watermark{markAt(7)}, marks)
}

func TestABatchHoldsBackTheWatermarksOfItsRowsAndOfNoOtherPart(t *testing.T) {
	batches := operators.Batch(script("A",
		happening{part: 0, at: []int{1, 2}, mark: 2}, // both are held
		happening{part: 1, mark: 5},
		happening{part: 0, mark: 3},
		happening{part: 1, at: []int{6}, mark: 7},            // the batch is full
		happening{part: 1, at: []int{8, 9, 10, 11}, mark: 8}, // a batch, and the last is held
		happening{part: 0, mark: 4},
		happening{part: 1, mark: 9},
	), operators.BatchRows(3))
	type said struct {
		part, rows int
		mark       flow.Watermark
	}
	var all []said
	pages, _ := pagesOut(t, batches)
	for _, p := range pages {
		rows := 0
		for _, batch := range p.Rows {
			rows += len(batch)
		}
		all = append(all, said{p.Range, rows, p.Watermark})
	}
	require.Equal(t, []said{
		{1, 0, markAt(5)},
		{-1, 3, markAt(0)},
		{0, 0, markAt(3)},
		{1, 0, markAt(7)},
		{1, 3, markAt(0)},
		{0, 0, markAt(4)},
		{-1, 1, markAt(0)},
		{1, 0, markAt(9)},
	}, all)
}

func TestRowsOfSeveralPartsHoldBackTheWatermarksOfAll(t *testing.T) {
	mixed := operators.Batch(script("A",
		happening{part: 0, at: []int{1}, mark: 1},
		happening{part: 1, at: []int{2}, mark: 2},
		happening{part: 0, mark: 5},
		happening{part: 1, mark: 6},
		happening{part: 2, mark: 7},
		happening{part: 2, at: []int{8, 9}, mark: 9},
	), operators.BatchRows(2))
	var marks []int
	pages, _ := pagesOut(t, operators.Batch(mixed, operators.BatchRows(2))) // the first batch waits for a second
	for _, p := range pages {
		mark := len(p.Rows)
		if p.Watermark.Known() {
			mark = 10 * int(p.Watermark.Time().Unix())
		}
		marks = append(marks, mark)
	}
	require.Equal(t, []int{1, 50, 60, 70, 90}, marks, "a batch, and ten times watermarks")
}

func TestInMapConcurrentAWatermarkWaitsForTheCallsThatBeganBefore(t *testing.T) {
	for name, opts := range map[string][]operators.MapConcurrentOption{"in order": nil, "unordered": {operators.Unordered()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHeard()
				hear(t, operators.MapConcurrent(script("A",
					happening{part: 0, at: []int{3}},
					happening{part: 0, at: []int{12}, mark: 10},
					happening{part: 0, mark: 11},
					happening{part: 0, at: []int{13}, mark: 12, last: true},
				), 4, func(_ context.Context, e timed) (timed, error) {
					if e.at == 3 {
						time.Sleep(time.Second) // all others have come back long before
					}
					return e, nil
				}, opts...), &listening{heard: h})
				require.NoError(t, h.broken)
				require.Equal(t, 3, h.rows)
				require.Equal(t, map[partName]flow.Watermark{{"A", 0}: markAt(12)}, h.marks)
			})
		})
	}
}
