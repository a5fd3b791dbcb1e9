package operators_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// happening is a page to be given: rows of a part at these times, and what the part says
// behind them. A mark of 0 says nothing.
type happening struct {
	part int
	at   []int
	mark int
	last bool
	then func(ctx context.Context) error // called when the page has been handed on; may be nil
}

func markAt(at int) flow.Watermark {
	if at == 0 {
		return flow.Watermark{}
	}
	return flow.WatermarkAt(time.Unix(int64(at), 0))
}

// script is a source of pages with watermarks.
func script(name string, pages ...happening) rxcql.Stream[timed] {
	info := rxcql.StageInfo{Name: name, Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[timed]) error {
		defer st.Input().Done()
		numbers := map[int]int64{}
		for _, each := range pages {
			reservation, err := st.Input().Reserve(ctx, 64)
			if err != nil {
				return err
			}
			p := &flow.Page[timed]{Reservation: reservation}
			for _, at := range each.at {
				p.Rows = append(p.Rows, timed{name, each.part, at})
			}
			p.Say(flow.Advance{
				Position:  flow.Position{Range: each.part, Page: numbers[each.part], Last: each.last},
				Watermark: markAt(each.mark),
			})
			numbers[each.part]++
			p.Resize(int64(len(p.Rows)) * 64)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(p.Rows), 0)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err == nil && each.then != nil {
				err = each.then(ctx)
			}
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

// partName names a part as rows do.
type partName struct {
	source string
	part   int
}

// heard is what a sink has been told of the parts, and whether rows came that must not.
type heard struct {
	marks  map[partName]flow.Watermark
	ended  map[partName]bool
	rows   int
	broken error
}

func newHeard() *heard {
	return &heard{marks: map[partName]flow.Watermark{}, ended: map[partName]bool{}}
}

func (h *heard) page(p *flow.Page[timed]) {
	h.rows += len(p.Rows)
	for _, e := range p.Rows {
		name := partName{e.source, e.part}
		switch {
		case h.ended[name]:
			h.broken = fmt.Errorf("%+v comes behind the end of its part", e)
		case markAt(e.at).Before(h.marks[name]):
			h.broken = fmt.Errorf("%+v comes behind the watermark %v", e, h.marks[name])
		}
	}
	if p.Range < 0 {
		if p.Source != nil || p.Last || p.Watermark.Known() {
			h.broken = fmt.Errorf("a page with rows of several parts says %+v", p.Advance())
		}
		return
	}
	if p.Source == nil {
		h.broken = fmt.Errorf("page %d of part %d has no source", p.Page, p.Range)
		return
	}
	name := partName{p.Source.Name, p.Range}
	h.ended[name] = h.ended[name] || p.Last
	if h.marks[name].Before(p.Watermark) {
		h.marks[name] = p.Watermark
	}
}

// listening is a sink that hears what the pages say.
type listening struct {
	*heard
	st *rxcql.Stage
}

func (s *listening) Info() rxcql.SinkInfo        { return rxcql.SinkInfo{} }
func (s *listening) Check(context.Context) error { return nil }

func (s *listening) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[timed], error) {
	s.st = r.SinkStage("listening")
	return s, nil
}

func (s *listening) Write(_ context.Context, p *flow.Page[timed]) error {
	s.st.CountIn(len(p.Rows))
	s.page(p)
	s.st.CountWritten(len(p.Rows))
	return s.broken
}

func (s *listening) Flush(context.Context) error { return nil }
func (s *listening) Close() error                { return nil }

func hear(t require.TestingT, s rxcql.Stream[timed], sink rxcql.Sink[timed]) rxcql.Report {
	p, err := rxcql.New(s, sink)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // only ends a hang
	defer cancel()
	rep, err := p.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	return rep
}

func TestEveryOperatorHandsOnSourceWatermarkAndEndOfEachPart(t *testing.T) {
	for _, v := range uses() {
		t.Run(v.String(), func(t *testing.T) {
			h := newHeard()
			hear(t, v.put(script("A",
				happening{part: 0, at: []int{9, 3, 6}, mark: 10},
				happening{part: 1, mark: 5},
				happening{part: 0, mark: 20},
				happening{part: 1, mark: 7},
				happening{part: 0, last: true},
				happening{part: 1, last: true},
				happening{part: 2, at: []int{1}, mark: 2, last: true},
				happening{part: 3, last: true},
			)), &listening{heard: h})
			if v.own {
				require.Equal(t, map[partName]bool{{v.operator, 0}: true}, h.ended)
				require.Empty(t, h.marks)
				return
			}
			if !v.loses {
				require.GreaterOrEqual(t, h.rows, 4)
			}
			marks := map[int]flow.Watermark{}
			for name, mark := range h.marks {
				if name.source == "A" {
					marks[name.part] = mark
				}
			}
			require.Equal(t, map[int]flow.Watermark{0: markAt(20), 1: markAt(7), 2: markAt(2)}, marks)
			for part := range 4 {
				require.True(t, h.ended[partName{"A", part}], "the end of part %d", part)
			}
		})
	}
}

func TestAWatermarkWaitsForNoMorePagesWhereNoRowsAreHeld(t *testing.T) {
	for _, v := range uses() {
		if v.own {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			heardOf := make(chan flow.Watermark, 100)
			hear(t, spying(v.put(script("A",
				happening{part: 0, at: []int{9, 3, 6}, mark: 10},
				happening{part: 1, mark: 5, then: told(v, heardOf, 1, 5)},
				happening{part: 0, mark: 20, then: told(v, heardOf, 0, 20)},
				happening{part: 1, mark: 7, then: told(v, heardOf, 1, 7)},
			)), func(p *flow.Page[timed]) { heardOf <- p.Watermark }), &listening{heard: newHeard()})
		})
	}
}

// told waits until downstream has heard a watermark of a part, unless the operator may hold that.
func told(v use, heardOf <-chan flow.Watermark, part, mark int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for v.holds == nil || !v.holds(part) {
			select {
			case heard := <-heardOf:
				if heard == markAt(mark) {
					return nil
				}
			case <-ctx.Done():
				return fmt.Errorf("the watermark %d of part %d does not come: %w", mark, part, context.Cause(ctx))
			}
		}
		return nil
	}
}

// spying shows the pages of a stream to see.
func spying(in rxcql.Stream[timed], see func(p *flow.Page[timed])) rxcql.Stream[timed] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "spying", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[timed]) flow.Observer[timed] {
		return &spy{Observer: out, see: see}
	})
}

type spy struct {
	flow.Observer[timed]
	see func(p *flow.Page[timed])
}

func (s *spy) Next(ctx context.Context, p *flow.Page[timed]) error {
	s.see(p)
	return s.Observer.Next(ctx, p)
}

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
