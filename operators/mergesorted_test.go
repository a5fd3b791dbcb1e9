package operators_test

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// tagged is a row of an ordered stream: what it is ordered by, and where it comes from.
type tagged struct{ key, input, at int }

func valuesOf(all []int) func(func(int, error) bool) {
	return func(yield func(int, error) bool) {
		for _, n := range all {
			if !yield(n, nil) {
				return
			}
		}
	}
}

func byKey(a, b tagged) int { return cmp.Compare(a.key, b.key) }

// sortedScript is a source of rows in order, in random pages of which some are empty.
func sortedScript(rt *rapid.T, name string, input int) (*rxcqltest.Script[tagged], []tagged) {
	keys := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 60).Draw(rt, name)
	slices.Sort(keys)
	var rows []tagged
	for at, key := range keys {
		rows = append(rows, tagged{key, input, at})
	}
	s := rxcqltest.NewScript[tagged]().Name(name)
	for left := rows; len(left) > 0; {
		n := rapid.IntRange(0, min(9, len(left))).Draw(rt, "page")
		s.Page(left[:n]...)
		left = left[n:]
	}
	return s, rows
}

func TestMergeSortedIsOneOrderOfAllRowsAndStable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var ins []rxcql.Stream[tagged]
		var want []tagged
		for i := range rapid.IntRange(1, 7).Draw(rt, "inputs") {
			script, rows := sortedScript(rt, "Script", i)
			ins = append(ins, script.Stream())
			want = append(want, rows...)
		}
		slices.SortStableFunc(want, byKey)
		sink := &gather[tagged]{}
		p, err := rxcql.New(operators.MergeSorted(byKey, ins...), sink, rxcql.WithBudget(int64(len(ins))*rxcql.MinBudgetPerInput))
		require.NoError(rt, err)
		var rep rxcql.Report
		inBubble(t, func() { rep, err = p.Run(context.Background()) })
		require.NoError(rt, err)
		require.Equal(rt, want, sink.rows())
		require.True(rt, rep.Complete)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
		require.Zero(rt, rep.BytesInFlight)
	})
}

func TestMergeSortedOfPagesOfManyRows(t *testing.T) {
	var want []int
	for i := range 3000 {
		want = append(want, i, i, i)
	}
	got := collect(t, operators.MergeSorted(cmp.Compare[int], count(3000, 2000), count(3000, 700), count(3000, 512)))
	require.Equal(t, want, got)
	require.Equal(t, upTo(5000), collect(t, operators.MergeSorted(cmp.Compare[int], count(5000, 5000), count(0, 1))))
}

func TestARowOutOfOrderIsAnErrorThatNamesIt(t *testing.T) {
	rows := func(all ...int) rxcql.Stream[int] { return from(all...) }
	paged := func(all ...int) rxcql.Stream[int] { return source.Seq(valuesOf(all), source.PageRows(2)) }
	for name, c := range map[string]struct {
		s    anyStream
		says string
	}{
		"in a page":        {operators.MergeSorted(cmp.Compare[int], rows(1, 2), rows(0, 5, 4, 6)), "row 2: rxcql: an input is not in order: the row of input 2"},
		"in the next page": {operators.MergeSorted(cmp.Compare[int], paged(1, 5, 4, 6)), "page 1, row 0: rxcql: an input is not in order: the row of input 1"},
		"far behind":       {operators.MergeSorted(cmp.Compare[int], count(1000, 1000), paged(1, 2, 5, 4)), "the row of input 2"},
		"on the left":      {operators.MergeJoin(paged(1, 3, 2), rows(1, 2, 3), itself[int], itself[int], cmp.Compare[int]), "page 1, row 0: rxcql: an input is not in order: the row of the left side"},
		"on the right":     {operators.MergeJoin(rows(1, 2, 3), rows(1, 3, 2, 4), itself[int], itself[int], cmp.Compare[int]), "row 2: rxcql: an input is not in order: the row of the right side"},
	} {
		_, err := c.s.Count(t.Context())
		require.ErrorIs(t, err, operators.ErrOutOfOrder, name)
		require.ErrorContains(t, err, c.says, name)
		require.ErrorContains(t, err, "rxcql.WithWorkers(1)")
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Contains(t, []string{"MergeSorted", "MergeJoin"}, stage.Stage)
	}
}

func TestAJobOverMergeSortedBrokenOffAnywhereGivesEachRowInOrderWithinEachRun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var sources []*jobtest.Parts[cell]
		var ins []rxcql.Stream[cell]
		want := map[cell]int{}
		for i, name := range []string{"A", "B", "C"} {
			parts := &jobtest.Parts[cell]{Name: name, PageRows: rapid.IntRange(1, 9).Draw(rt, "page"), Empty: rapid.Bool().Draw(rt, "empty pages"), Rows: [][]cell{nil}}
			for row := range rapid.IntRange(0, 60).Draw(rt, "rows") {
				c := cell{part: i, row: row, value: row}
				parts.Rows[0] = append(parts.Rows[0], c)
				want[c.key()] = c.value
			}
			sources = append(sources, parts)
			ins = append(ins, parts.Stream())
		}
		byRow := func(a, b cell) int { return cmp.Compare(a.row, b.row) }
		store, d, last, broken := &jobtest.Store{}, &disturbance{}, -1, false
		s := operators.Tap(operators.MergeSorted(byRow, ins...), func(c cell) error {
			broken = broken || c.row < last
			last = c.row
			return d.call()
		})
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		for runs := 0; ; runs++ {
			var p *rxcql.Pipeline
			d.left.Store(0)
			last = -1
			if runs < 20 { // an end must come
				d.next(rt, func() *rxcql.Pipeline { return p })
			}
			p, err := rxcql.New(s, to, rxcql.WithCheckpoint(store, "job"))
			require.NoError(rt, err)
			rep, err := p.Run(context.Background())
			require.False(rt, broken, "a row came behind a greater one")
			require.Zero(rt, rep.BytesInFlight)
			if err != nil {
				require.ErrorIs(rt, err, errUser)
			}
			state, err := store.State("job")
			require.NoError(rt, err)
			for _, saved := range state.Sources {
				for _, parts := range sources {
					if parts.Name != saved.Stage {
						continue
					}
					rows, err := parts.Settled(saved)
					require.NoError(rt, err)
					for _, row := range rows {
						require.Contains(rt, to.rows, row.key(), "it counts as settled")
					}
				}
			}
			if rep.Complete {
				break
			}
		}
		require.Equal(rt, want, to.rows)
	})
}

func TestMergeSortedIsRefusedBeforeAFileInAJobAndBeforeGroups(t *testing.T) {
	a, b := &jobtest.Parts[line]{Name: "A"}, &jobtest.Parts[line]{Name: "B"}
	merged := operators.MergeSorted(func(a, b line) int { return cmp.Compare(a.Row, b.Row) }, a.Stream(), b.Stream())
	_, err := rxcql.New(merged, sink.NDJSON[line](t.TempDir()+"/out.ndjson"), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "stage MergeSorted")
	one := operators.MergeSorted(func(a, b line) int { return cmp.Compare(a.Row, b.Row) }, a.Stream()) // its pages are of no part either
	row, rows := func(l line) int { return l.Row }, func(n int, _ line) (int, error) { return n + 1, nil }
	for name, s := range map[string]anyStream{
		"GroupAdjacent": operators.GroupAdjacent(merged, row, zero, rows), "DistinctAdjacent": operators.DistinctAdjacent(merged, row),
		"GroupAdjacent behind one": operators.GroupAdjacent(one, row, zero, rows), "DistinctAdjacent behind one": operators.DistinctAdjacent(one, row),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, "MergeSorted", name)
	}
}

func TestMergeSortedOfNothingIsRefused(t *testing.T) {
	_, err := operators.MergeSorted[int](nil).Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "no streams given")
	require.ErrorContains(t, err, "the function compare is nil")
}

func TestMergeSortedGoesOnWhenAnInputIsEndedByTakeBeforeIt(t *testing.T) {
	got := collect(t, operators.MergeSorted(cmp.Compare[int], operators.Take(count(1<<40, 5), 3), count(5, 2)))
	require.Equal(t, []int{0, 0, 1, 1, 2, 2, 3, 4}, got)
}

func TestMergeSortedThatIsStoppedHandsOnWhatWasReadInOrder(t *testing.T) {
	var p *rxcql.Pipeline
	sink := &gather[int]{}
	stopping := operators.Tap(count(1<<40, 10), func(n int) error {
		if n == 55 {
			p.Stop()
		}
		return nil
	})
	p, err := rxcql.New(operators.MergeSorted(cmp.Compare[int], stopping, count(1<<40, 7), count(30, 4)), sink)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.True(t, slices.IsSorted(sink.rows()))
	require.Equal(t, rep.ReadRows, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}
