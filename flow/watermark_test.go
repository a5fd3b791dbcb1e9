package flow_test

import (
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/flow"
)

func TestAWatermarkIsTheMicrosecondThatHasBegun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(rt, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(rt, "nanoseconds"))
		w := flow.WatermarkAt(at)
		require.True(rt, w.Known())
		behind := at.Sub(w.Time())
		require.True(rt, behind >= 0 && behind < time.Microsecond, "%v for %v", w, at)
		later := at.Add(time.Duration(rapid.Int64Range(1000, 1<<60).Draw(rt, "later")))
		require.True(rt, w.Before(flow.WatermarkAt(later)))
		require.False(rt, flow.WatermarkAt(later).Before(w))
		require.Equal(rt, w, flow.WatermarkAt(w.Time()))
	})
}

func TestTheZeroWatermarkSaysNothingAndIsBeforeAllOthers(t *testing.T) {
	var none flow.Watermark
	require.False(t, none.Known())
	require.True(t, none.Time().IsZero())
	require.Equal(t, "none", none.String())
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(-1, 0), time.UnixMicro(math.MaxInt64), time.Unix(math.MaxInt64/2, 0)} {
		w := flow.WatermarkAt(at)
		require.True(t, w.Known(), at)
		require.True(t, none.Before(w), at)
		require.False(t, w.Before(none), at)
		require.False(t, w.Time().After(at), at)
	}
	require.False(t, flow.WatermarkAt(time.Unix(math.MinInt64/2, 0)).Known(), "what has no place is not claimed")
	require.Equal(t, "1970-01-01T00:00:00.000001Z", flow.WatermarkAt(time.Unix(0, 1999)).String())
}

func TestOfAPartTheLatestAdvanceCountsAndItsEndStays(t *testing.T) {
	a, b := &flow.Origin{Name: "A"}, &flow.Origin{Name: "A"}
	at := func(o *flow.Origin, part int, page int64, seconds int64, last bool) flow.Advance {
		said := flow.Advance{Position: flow.Position{Source: o, Range: part, Page: page, Last: last}}
		if seconds > 0 {
			said.Watermark = flow.WatermarkAt(time.Unix(seconds, 0))
		}
		return said
	}
	var all flow.Advances
	for part := range 20 { // more than are looked for one by one
		all.Add(at(a, part, 0, 0, false))
		all.Add(at(a, part, 1, 7, true))
		all.Add(at(a, part, 2, 5, false))
	}
	all.Add(at(b, 3, 0, 0, false))
	require.True(t, all.HoldBack(flow.PartID{Source: b, Range: 3}))
	require.True(t, all.HoldBack(flow.PartID{Source: a, Range: 19}))
	require.False(t, all.HoldBack(flow.PartID{Source: b, Range: 4}), "another reading of the source")
	got := all.Take()
	require.Len(t, got, 20, "of the part of which nothing is said there is nothing to hand on")
	for part, said := range got {
		require.Equal(t, at(a, part, 2, 7, true), said)
	}
	require.Empty(t, all.Take())
	require.False(t, all.HoldBack(flow.PartID{Source: a, Range: 19}))

	all.Add(flow.Advance{Position: flow.Position{Range: -1}})
	require.True(t, all.HoldBack(flow.PartID{Source: b, Range: 4}), "rows of several parts may be of any")
	require.Empty(t, all.Take())
	require.False(t, all.HoldBack(flow.PartID{Source: b, Range: 4}))
}

func TestWhatIsSaidOfAllPartsWaitsForEachAndComesBeforeOrBehindTheRest(t *testing.T) {
	a, b, c := &flow.Origin{Name: "A"}, &flow.Origin{Name: "B"}, &flow.Origin{Name: "C"}
	idle := flow.Advance{Position: flow.Position{Source: a}, Idle: flow.IdleAt(time.Unix(7, 0))}
	on := flow.Advance{Position: flow.Position{Source: a}, Watermark: flow.WatermarkAt(time.Unix(9, 0))}
	var all flow.Advances
	all.Add(flow.Begins(a))
	all.Add(idle)
	require.True(t, all.HoldBack(flow.Ends(a).PartID()), "rows of a part of it are kept")
	require.False(t, all.HoldBack(flow.Ends(b).PartID()))
	require.False(t, all.HoldBack(flow.PartID{Source: a, Range: 1}), "which is no row of this part")
	all.Add(flow.Ends(c))
	all.Add(flow.Begins(b))
	all.Add(flow.Ends(a))
	require.Equal(t, []flow.Advance{flow.Begins(b), idle, flow.Ends(a), flow.Ends(c)}, all.Take())

	all.Add(idle)
	all.Add(on)
	require.Equal(t, []flow.Advance{on}, all.Take(), "it is idle no more")
	all.Add(on)
	all.Add(idle)
	idle.Watermark = on.Watermark
	require.Equal(t, []flow.Advance{idle}, all.Take())
}

func TestEachRowSaysTheEndAndTheWatermarkWithTheLastRow(t *testing.T) {
	mark := flow.WatermarkAt(time.Unix(9, 0))
	p := &flow.Page[int]{Rows: []int{7, 8, 9}, Reservation: &flow.Reservation{}}
	p.Say(flow.Advance{Position: flow.Position{Source: &flow.Origin{Name: "A"}, Page: 4, Last: true}, Watermark: mark})
	whole := p.Advance()
	var ends []bool
	var marks []flow.Watermark
	require.NoError(t, p.EachRow(func(row *flow.Page[int]) error {
		require.Equal(t, whole.PartID(), row.PartID())
		require.Equal(t, len(ends), row.RowIndex(0))
		ends, marks = append(ends, row.Last), append(marks, row.Watermark)
		return nil
	}))
	require.Equal(t, []bool{false, false, true}, ends)
	require.Equal(t, []flow.Watermark{{}, {}, mark}, marks)
	require.Equal(t, whole, p.Advance(), "the page says what it said")
}

func TestAPositionStaysSmallSinceSinksKeepOneARow(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(flow.Position{}), uintptr(40))
}
