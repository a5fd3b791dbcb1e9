package flow_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

func TestARowOfAPageThatWasSplitAnyNumberOfTimesIsKnownByItsPlace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := &flow.Page[int]{Reservation: &flow.Reservation{Position: flow.Position{Range: 3, Page: 7}}}
		for i := range rapid.IntRange(0, 20).Draw(rt, "rows") {
			p.Rows = append(p.Rows, i) // its place
		}
		whole := p.Position
		for range rapid.IntRange(0, 4).Draw(rt, "splits") {
			var rows []int
			var at []int32
			for i, row := range p.Rows {
				if rapid.Bool().Draw(rt, "picked") {
					rows, at = append(rows, row), append(at, int32(i))
				}
			}
			if rows == nil {
				continue
			}
			p.Position, p.Rows = p.Picked(at), rows
			for i := range at {
				at[i] = -5 // it is the caller's
			}
		}
		for i, row := range p.Rows {
			require.Equal(rt, row, p.RowIndex(i))
		}
		require.NoError(rt, p.EachRow(func(one *flow.Page[int]) error {
			if len(one.Rows) > 0 {
				require.Equal(rt, one.Rows[0], one.RowIndex(0))
			}
			return nil
		}))
		require.Equal(rt, -1, p.RowIndex(-1))
		require.Equal(rt, whole, p.Delivered())
		require.Equal(rt, []any{3, int64(7), "3"}, []any{p.Range, p.Page, p.Part()})
	})
}

func TestAnOperatorThatDropsRowsOfASplitPageHandsThemOnAsAPageOfItsOwn(t *testing.T) {
	p := &flow.Page[int]{Rows: []int{1, 3, 4}, Reservation: &flow.Reservation{}}
	p.Position = p.Picked([]int32{1, 3, 4})
	for _, rows := range [][]int{{1, 3, 4}, {3, 4}} {
		var places []int
		require.NoError(t, flow.HandOn(t.Context(), p, rows, heardPages[int](func(q *flow.Page[int]) {
			for i := range q.Rows {
				places = append(places, q.RowIndex(i))
			}
		})))
		want := slices.Clone(rows)
		if len(rows) < 3 {
			want = []int{0, 1} // nobody knows which these are
		}
		require.Equal(t, want, places)
		require.Equal(t, 3, p.RowIndex(1), "the page is as it was")
	}
}

type heardPages[T any] func(*flow.Page[T])

func (h heardPages[T]) Next(_ context.Context, p *flow.Page[T]) error { h(p); return nil }
func (heardPages[T]) Done(context.Context, bool) error                { return nil }
