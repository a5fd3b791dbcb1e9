package window_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/window"
)

func sideOf(reach int64) *window.Side[row, int] {
	return window.NewSide(window.SideConfig[row, int]{
		Reach: reach, SizeRow: func(*row) int { return 24 + 100 }, SizeKey: func(*int) int { return 8 }, Keep: func(k int) int { return k },
	})
}

// A Side is a list of all rows of which those out of reach are taken out.
func TestASideKeepsEachRowUntilNothingCanReachIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		reach := rapid.Int64Range(-30, 60).Draw(rt, "reach")
		s, number, clock := sideOf(reach), 0, int64(-100)
		var model []window.Kept[row]
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			for range rapid.IntRange(0, 10).Draw(rt, "rows") {
				number++
				r := row{number: number, key: rapid.IntRange(0, 3).Draw(rt, "key"), at: clock + rapid.Int64Range(-20, 60).Draw(rt, "at")}
				if s.Expires(r.at) <= clock {
					continue
				}
				paired := rapid.Bool().Draw(rt, "paired")
				s.Add(r.at, r.key, r, paired)
				model = append(model, window.Kept[row]{At: r.at, Row: r, Paired: paired})
			}
			slices.SortStableFunc(model, func(a, b window.Kept[row]) int { return int(a.At - b.At) })
			key, from := rapid.IntRange(0, 4).Draw(rt, "key"), clock+rapid.Int64Range(-70, 70).Draw(rt, "from")
			to := from + rapid.Int64Range(0, 40).Draw(rt, "long")
			want := []window.Kept[row]{}
			for i := range model {
				if m := &model[i]; m.Row.key == key && m.At >= from && m.At <= to {
					m.Paired = true
					want = append(want, *m)
				}
			}
			within := s.Within(key, from, to)
			for i := range within {
				within[i].Paired = true
			}
			require.Equal(rt, want, append([]window.Kept[row]{}, within...), "by time, and as they came")
			clock += rapid.SampledFrom([]int64{0, 1, 7, 30, 90}).Draw(rt, "on")
			alone := 0
			model = slices.DeleteFunc(model, func(m window.Kept[row]) bool {
				gone := m.At+reach < clock
				if gone && !m.Paired {
					alone++
				}
				return gone
			})
			require.Equal(rt, alone, s.Advance(clock))
			require.EqualValues(rt, len(model), s.Rows())
			require.GreaterOrEqual(rt, s.Bytes(), 100*s.Rows())
		}
		s.Advance(window.Forever)
		require.Zero(rt, s.Rows())
		require.Zero(rt, s.Bytes())
	})
}

func TestRowsFarFrom1970AreKeptAndDropped(t *testing.T) {
	const day = 24 * 3600 * 1_000_000
	for _, at := range []int64{-window.Farthest, -1, 0, window.Farthest} {
		s := sideOf(math.MaxInt64 / 1000)
		s.Add(at, 1, row{}, false)
		require.Len(t, s.Within(1, at-day, at), 1)
		require.Len(t, s.Within(1, at, at+day), 1)
		require.Empty(t, s.Within(1, at+1, at+day))
		require.Empty(t, s.Within(1, at-day, at-1))
		require.Empty(t, s.Within(2, at, at))
		require.Zero(t, s.Advance(at+math.MaxInt64/1000), "a row there is in reach")
		require.Equal(t, 1, s.Advance(at+math.MaxInt64/1000+1))
	}
}

// A key whose rows come and go for ever takes no more memory for those that have gone.
func TestRowsThatHaveGoneTakeNoMemory(t *testing.T) {
	s, most := sideOf(100), int64(0)
	for at := range int64(100_000) {
		s.Add(at, 1, row{at: at}, true)
		s.Advance(at)
		if at == 1000 {
			most = s.Bytes()
		}
	}
	require.LessOrEqual(t, s.Rows(), int64(102))
	require.LessOrEqual(t, s.Bytes(), 2*most)
	for at := range int64(10_000) { // many at once, and then few
		s.Add(200_000+at%50, 1, row{}, true)
	}
	s.Advance(200_140)
	require.LessOrEqual(t, s.Bytes(), 200*s.Rows()*4)
}

func TestAKeyThatComesAndGoesWithEachRowAllocatesNothing(t *testing.T) {
	s, at := sideOf(5), int64(0)
	comeAndGo := func() {
		for range 1000 {
			at++
			s.Add(at, int(at), row{at: at}, false)
			s.Advance(at)
		}
	}
	comeAndGo()
	require.Less(t, testing.AllocsPerRun(20, comeAndGo), 50.0)
	require.LessOrEqual(t, s.Rows(), int64(6))
}

// To put each row in its place as it comes would be to move half of all rows for it. Here that
// would take two minutes, and as it is done a part of a second.
func TestRowsOfOneKeyThatComeInAnyOrderArePutInOrderTogether(t *testing.T) {
	const rows, page = 300_000, 3000
	s := sideOf(rows)
	for i := range int64(rows) {
		at := i * 7919 % rows
		s.Add(at, 1, row{number: int(i), at: at}, true)
		if i%page == page-1 {
			require.Len(t, s.Within(1, at, at), 1)
		}
	}
	all := s.Within(1, 0, rows)
	require.Len(t, all, rows)
	require.True(t, slices.IsSortedFunc(all, func(a, b window.Kept[row]) int { return int(a.At - b.At) }))
	require.Zero(t, s.Advance(window.Forever))
	require.Zero(t, s.Rows())
	require.Zero(t, s.Bytes())
}
