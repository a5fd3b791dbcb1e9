package window_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/internal/window"
)

func TestMain(m *testing.M) { leak.Main(m) }

// windows are those of any kind.
type windows[T any, K comparable, S any] interface {
	Add(at int64, key K, row *T) (missed int, err error)
	Until() int64
	Advance(t int64, give window.Give[K, S]) error
	Over() int64
	Early(give window.Give[K, S]) error
	Corrections(give window.Give[K, S]) error
	Postpone()
	States() int64
	Bytes() int64
}

func listConfig(lateness int64) window.Config[row, int, []int] {
	return window.Config[row, int, []int]{
		Seed:      func() []int { return nil },
		Fold:      func(all []int, r row) ([]int, error) { return append(all, r.number), nil },
		Merge:     func(a, b []int) ([]int, error) { return slices.Concat(a, b), nil },
		Lateness:  lateness,
		SizeRow:   func(*row) int { return 24 },
		SizeKey:   func(*int) int { return 8 },
		SizeState: func(s *[]int) int { return 24 + 8*cap(*s) },
		Keep:      func(key int) int { return key },
	}
}

// kinds are windows of each kind with their models, as drawn.
func kinds(rt *rapid.T, lateness int64) (windows[row, int, []int], model) {
	cfg := listConfig(lateness)
	if rapid.Bool().Draw(rt, "sessions") {
		gap := rapid.Int64Range(1, 40).Draw(rt, "gap")
		return window.NewSessions(cfg, gap), &sessionModel{newModelOf(lateness), gap}
	}
	every := rapid.Int64Range(5, 40).Draw(rt, "every")
	size := every
	if rapid.Bool().Draw(rt, "hopping") {
		size = rapid.Int64Range(every, 6*every).Draw(rt, "size")
	}
	offset := rapid.Int64Range(-every, every).Draw(rt, "offset")
	return window.NewAligned(cfg, window.Grid{Size: size, Every: every, Offset: offset}, window.Never),
		&alignedModel{newModelOf(lateness), size, every, offset}
}

// given collects results.
func given(out *[]result) window.Give[int, []int] {
	return func(s *window.State[int, []int], start, end int64, kind window.Kind) error {
		rows := slices.Clone(s.Value)
		slices.Sort(rows)
		if int64(len(rows)) != s.Rows {
			return errors.New("the count of rows is wrong")
		}
		*out = append(*out, result{s.Key, start, end, rows, kind, s.Late})
		return nil
	}
}

func TestWindowsAreThoseThatAModelMakesOfAllRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lateness := rapid.SampledFrom([]int64{0, 0, 1, 25, 200}).Draw(rt, "lateness")
		w, m := kinds(rt, lateness)
		postpones := rapid.Bool().Draw(rt, "postpones")
		same := func(what string, want []result, call func(window.Give[int, []int]) error) {
			var got []result
			require.NoError(rt, call(given(&got)))
			if postpones || what == "corrections" { // what is given when a window is over comes in the order of that
				for _, all := range [][]result{got, want} {
					slices.SortFunc(all, func(a, b result) int {
						return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
					})
				}
			}
			require.Equal(rt, want, got, what)
		}
		number, clock := 0, int64(-300)
		keys, ahead := rapid.SampledFrom([]int{5, 5, 1}).Draw(rt, "keys"), rapid.SampledFrom([]int64{100, 1000}).Draw(rt, "ahead")
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			for range rapid.IntRange(0, 12).Draw(rt, "rows") {
				number++
				r := row{number: number, key: rapid.IntRange(0, keys-1).Draw(rt, "key"), at: clock + rapid.Int64Range(-150, ahead).Draw(rt, "at")}
				if rapid.IntRange(0, 3).Draw(rt, "at a border") == 0 {
					r.at -= r.at % 5
				}
				for range 1 + rapid.IntRange(0, 8).Draw(rt, "again")/8 { // a row that comes twice is two rows
					missed, err := w.Add(r.at, r.key, &r)
					require.NoError(rt, err)
					require.Equal(rt, m.add(r), missed, "%+v", r)
				}
			}
			if postpones && rapid.Bool().Draw(rt, "postpone") {
				w.Postpone()
			} else {
				same("corrections", m.corrections(), w.Corrections)
			}
			if rapid.IntRange(0, 3).Draw(rt, "early") == 0 {
				same("early", m.early(), w.Early)
			}
			clock += rapid.SampledFrom([]int64{0, 0, 1, 7, 30, 90}).Draw(rt, "on")
			if rapid.IntRange(0, 2).Draw(rt, "idle") > 0 {
				same("on time", m.advance(clock), func(give window.Give[int, []int]) error { return w.Advance(clock, give) })
			}
		}
		same("at the end", m.advance(window.Forever), func(give window.Give[int, []int]) error { return w.Advance(window.Forever, give) })
		require.Zero(rt, w.States())
		require.Zero(rt, w.Bytes())
	})
}

// What a job that goes on relies on: rows of a page are in windows that are over as soon as Over
// has come to what Until said, and no row comes before that.
func TestAllRowsOfAPageAreInWindowsThatAreOverWhenOverIsAtUntil(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lateness := rapid.SampledFrom([]int64{0, 30}).Draw(rt, "lateness")
		cfg, grid := listConfig(lateness), window.Grid{Size: 25, Every: 10}
		sessions := window.NewSessions(cfg, 20)
		sessions.NoteEnds()
		w, isSessions := windows[row, int, []int](sessions), rapid.Bool().Draw(rt, "sessions")
		if !isSessions {
			w = window.NewAligned(cfg, grid, window.Never)
		}
		type kept struct {
			until int64
			rows  []row
		}
		var pages []kept
		final, clock, over := map[int]int64{}, int64(1000), int64(window.Never) // the latest end of a window of a row that was given
		ends := map[int]int64{0: window.Never, 1: window.Never, 2: window.Never, 3: window.Never}
		note := func(s *window.State[int, []int], _, end int64, _ window.Kind) error {
			for _, n := range s.Value {
				final[n] = max(final[n], end)
			}
			return nil
		}
		for step := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			var p kept
			for i := range rapid.IntRange(0, 6).Draw(rt, "rows") {
				r := row{number: 100*step + i, key: rapid.IntRange(0, 3).Draw(rt, "key"), at: clock + rapid.Int64Range(-60, 60).Draw(rt, "at")}
				of := 1
				if !isSessions {
					first, last := grid.Of(r.at)
					of = int(last-first)/10 + 1
				}
				missed, err := w.Add(r.at, r.key, &r)
				require.NoError(rt, err)
				if missed == of {
					continue
				}
				p.rows = append(p.rows, r)
				if isSessions {
					require.GreaterOrEqual(rt, r.at, over, "no row is added before Over")
					require.GreaterOrEqual(rt, r.at, ends[r.key], "nor before the end of a session of its key that is over")
				}
			}
			if p.until = w.Until(); p.until != window.Never {
				pages = append(pages, p)
			} else {
				require.Empty(rt, p.rows)
			}
			clock += rapid.Int64Range(0, 30).Draw(rt, "on")
			require.NoError(rt, w.Corrections(note))
			require.NoError(rt, w.Advance(clock, note))
			require.GreaterOrEqual(rt, w.Over(), over)
			over = w.Over()
			for _, e := range sessions.TakeEnded() {
				require.Greater(rt, e.End, ends[e.Key])
				ends[e.Key] = e.End
			}
			for _, p := range pages {
				for _, r := range p.rows {
					if p.until > over {
						continue
					}
					end, was := final[r.number]
					require.True(rt, was, "row %+v was given", r)
					require.LessOrEqual(rt, end+lateness, clock)
					if !isSessions {
						_, last := grid.Of(r.at)
						require.Equal(rt, last+25, end, "in all of its windows")
					}
				}
			}
		}
	})
}

func TestWindowsBegunBefore1970AndFarAway(t *testing.T) {
	for _, base := range []int64{-1 << 61, -12345678901, -1, 0, 1 << 61, window.Farthest - 1000, -window.Farthest + 1000} {
		w := window.NewAligned(listConfig(0), window.Grid{Size: 10, Every: 10, Offset: 3}, window.Never)
		r := row{number: 1, at: base}
		_, err := w.Add(r.at, 0, &r)
		require.NoError(t, err)
		var out []result
		require.NoError(t, w.Advance(window.Forever, given(&out)))
		require.Len(t, out, 1)
		require.LessOrEqual(t, out[0].start, base)
		require.Greater(t, out[0].end, base)
		require.EqualValues(t, 10, out[0].end-out[0].start)
		require.Zero(t, (out[0].start-3)%10)
	}
}

func TestARowAtTheBorderIsOfTheWindowThatBeginsThere(t *testing.T) {
	g := window.Grid{Size: 10, Every: 10}
	for at, start := range map[int64]int64{0: 0, 9: 0, 10: 10, -1: -10, -10: -10, -11: -20} {
		first, last := g.Of(at)
		require.Equal(t, []int64{start, start}, []int64{first, last}, "%d", at)
	}
	g = window.Grid{Size: 10, Every: 4}
	first, last := g.Of(0)
	require.Equal(t, []int64{-8, 0}, []int64{first, last})
	first, last = g.Of(3)
	require.Equal(t, []int64{-4, 0}, []int64{first, last})
	require.Equal(t, 2, g.Within(0, 6))
	require.Equal(t, 3, g.Within(0, 10))
	require.Equal(t, 0, g.Within(0, 1))
}

func TestRowsAGapApartAreOfTwoSessions(t *testing.T) {
	w := window.NewSessions(listConfig(0), 10)
	for i, at := range []int64{0, 9, 19, 28} {
		r := row{number: i, at: at}
		_, err := w.Add(at, 0, &r)
		require.NoError(t, err)
	}
	var out []result
	require.NoError(t, w.Advance(window.Forever, given(&out)))
	require.Equal(t, []result{{0, 0, 19, []int{0, 1}, window.Final, 0}, {0, 19, 38, []int{2, 3}, window.Final, 0}}, out)
}

func TestWindowsThatAreDurableAlreadyMissTheirRows(t *testing.T) {
	w := window.NewAligned(listConfig(0), window.Grid{Size: 20, Every: 10}, 20)
	r := row{number: 1, at: 15}
	missed, err := w.Add(r.at, 0, &r)
	require.NoError(t, err)
	require.Equal(t, 1, missed)
	var out []result
	require.NoError(t, w.Advance(window.Forever, given(&out)))
	require.Equal(t, []result{{0, 10, 30, []int{1}, window.Final, 0}}, out)
}
