package operators_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
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

func TestAPartIsNotIdleWhileAGroupOfItIsOpen(t *testing.T) {
	var idle []time.Time
	groups := earliest(script("A",
		happening{part: 0, idle: 1},
		happening{part: 0, at: []int{4, 5}, idle: 2},
		happening{part: 0, idle: 3},
		happening{part: 0, at: []int{8}, idle: 4}, // a group ends, and another is open
		happening{part: 0, idle: 5},
		happening{part: 0, last: true},
	))
	hear(t, spying(groups, func(p *flow.Page[timed]) { idle = append(idle, p.Idle.At()) }), &listening{heard: newHeard()})
	require.Equal(t, []time.Time{idleAt(1), {}, {}}, idle, "what is held back would be behind the clock")
}

// endingOther says behind each page that all parts of another source have ended. As the engine does
// where there are several, it says of its own source that it begins: one of which nothing is known
// holds no clock back.
func endingOther(in rxcql.Stream[timed]) rxcql.Stream[timed] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "ending another", OneToOne: true}, func(st *rxcql.Stage, out flow.Observer[timed]) flow.Observer[timed] {
		return &endsOther{Observer: out, account: st.Account(true)}
	})
}

type endsOther struct {
	flow.Observer[timed]
	account *flow.Account
	begun   bool
}

func (e *endsOther) Next(ctx context.Context, p *flow.Page[timed]) error {
	var all flow.Advances
	if !e.begun {
		e.begun = true
		all.Add(flow.Begins(p.Source))
		if err := flow.Tell(ctx, e.account, &all, e.Observer); err != nil {
			return err
		}
	}
	if err := e.Observer.Next(ctx, p); err != nil {
		return err
	}
	all.Add(flow.Ends(&flow.Origin{Name: "other"}))
	return flow.Tell(ctx, e.account, &all, e.Observer)
}

func TestAGroupEndsWithItsSourceAndWithNoOther(t *testing.T) {
	rows := []happening{{part: 0, at: []int{4}}, {part: 0, at: []int{5}}, {part: 1, at: []int{8}}}
	var order []string
	count := func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
		return spying(earliest(in), func(p *flow.Page[timed]) {
			for _, e := range p.Rows {
				order = append(order, fmt.Sprint(e.source, e.at))
			}
		})
	}
	hear(t, count(endingOther(script("A", rows...))), &listening{heard: newHeard()})
	require.Equal(t, []string{"A4", "A8"}, order, "the group of two pages is one")

	order = nil
	ended := operators.Concat(operators.Take(script("A", rows...), 3), script("B", happening{part: 0, at: []int{1, 9}, last: true}))
	hear(t, count(ended), &listening{heard: newHeard()})
	require.Equal(t, []string{"A4", "A8", "B1", "B9"}, order, "groups of the input that was ended early do not wait for the end of all")
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
