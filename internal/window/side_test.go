package window_test

import (
	"math"
	"math/rand/v2"
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

// taken are all rows of some matches.
func taken(m window.Matches[row]) (rows []window.Kept[row]) {
	for next := m.Next(); next != nil; next = m.Next() {
		rows = append(rows, *next)
	}
	return rows
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
			got := []window.Kept[row]{}
			within := s.Within(key, from, to)
			for next := within.Next(); next != nil; next = within.Next() {
				next.Paired = true
				got = append(got, *next)
			}
			require.Equal(rt, want, got, "by time, and as they came")
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
		require.Len(t, taken(s.Within(1, at-day, at)), 1)
		require.Len(t, taken(s.Within(1, at, at+day)), 1)
		require.Empty(t, taken(s.Within(1, at+1, at+day)))
		require.Empty(t, taken(s.Within(1, at-day, at-1)))
		require.Empty(t, taken(s.Within(2, at, at)))
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

// To put each row in its place as it comes would be to move half of all rows for it, and so would
// it be to put them in order each time that rows are asked for, where that is after each row.
// Either would take half a minute or more here, and as it is done it takes a part of a second.
func TestRowsOfOneKeyThatComeInAnyOrderArePutInOrderTogether(t *testing.T) {
	for name, c := range map[string]struct{ rows, page int64 }{"in pages": {300_000, 3000}, "one by one": {100_000, 1}} {
		rows, page := c.rows, c.page
		s := sideOf(rows)
		for i := range rows {
			at := i * 7919 % rows
			s.Add(at, 1, row{number: int(i), at: at}, true)
			if i%page == page-1 {
				within := s.Within(1, at, at)
				require.NotNil(t, within.Next(), name)
				require.Nil(t, within.Next(), name)
			}
		}
		all := taken(s.Within(1, 0, rows))
		require.Len(t, all, int(rows), name)
		require.True(t, slices.IsSortedFunc(all, func(a, b window.Kept[row]) int { return int(a.At - b.At) }), name)
		require.Zero(t, s.Advance(window.Forever), name)
		require.Zero(t, s.Rows(), name)
		require.Zero(t, s.Bytes(), name)
	}
}

// With so many rows some are in the list, some are apart from it, and some are as they came.
func TestManyRowsOfOneKeyInAnyOrderAreByTimeAndThoseOfOneTimeAsTheyCame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, number, clock := sideOf(0), 0, int64(0)
		times := rapid.Int64Range(1, 3000).Draw(rt, "times")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)) //nolint:gosec // rapid gives the seed
		var model []window.Kept[row]
		for range rapid.IntRange(1, 5).Draw(rt, "pages") {
			for range rapid.SampledFrom([]int{1, 2, 40, 600, 1500}).Draw(rt, "rows") {
				number++
				at := clock + random.Int64N(times)
				s.Add(at, 1, row{number: number, at: at}, false)
				model = append(model, window.Kept[row]{At: at, Row: row{number: number, at: at}})
			}
			slices.SortStableFunc(model, func(a, b window.Kept[row]) int { return int(a.At - b.At) })
			require.Equal(rt, model, taken(s.Within(1, 0, clock+times)))
			clock += rapid.Int64Range(0, times/2).Draw(rt, "on")
			s.Advance(clock)
			model = slices.DeleteFunc(model, func(m window.Kept[row]) bool { return m.At < clock })
			require.EqualValues(rt, len(model), s.Rows())
			require.GreaterOrEqual(rt, s.Bytes(), 100*s.Rows())
		}
		require.Equal(rt, len(model), s.Advance(window.Forever))
		require.Zero(rt, s.Bytes())
	})
}
