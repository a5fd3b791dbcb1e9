package operators_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func itself[T any](v T) T { return v }

func TestDistinctAdjacentGivesTheFirstOfEachRunWithinAPartWhateverThePages(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		nparts := rapid.IntRange(1, 4).Draw(rt, "parts")
		all, want := make([][]int, nparts), make([][]int, nparts)
		var pages []part[int]
		for range rapid.IntRange(0, 30).Draw(rt, "pages") {
			i := rapid.IntRange(0, nparts-1).Draw(rt, "part")
			rows := rapid.SliceOfN(rapid.IntRange(0, 2), 0, 6).Draw(rt, "rows")
			pages = append(pages, part[int]{i, rows, false})
			for _, n := range rows {
				if len(all[i]) == 0 || all[i][len(all[i])-1] != n {
					want[i] = append(want[i], n)
				}
				all[i] = append(all[i], n)
			}
		}
		got := make([][]int, nparts)
		asked, total := 0, 0
		s := operators.DistinctAdjacent(ranges(pages...), func(n int) int { asked++; return n })
		out := &gather[int]{}
		p, err := rxcql.New(s, out)
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.NoError(rt, err)
		for _, page := range out.pages {
			got[page.Range] = append(got[page.Range], page.Rows...)
		}
		for i := range all {
			total += len(all[i])
		}
		require.Equal(rt, want, got)
		require.Equal(rt, total, asked, "once a row")
		require.Equal(rt, rep.ReadRows, rep.Written+rep.Filtered)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
	})
}

func TestThePartBehindAnotherOfOneNumberBeginsAfresh(t *testing.T) {
	s := ranges(part[int]{0, []int{1, 1}, true}, part[int]{0, []int{1, 2}, true})
	require.Equal(t, []int{1, 1, 2}, collect(t, operators.DistinctAdjacent(s, itself[int])))
}

func TestANumberThatIsNoneIsLikeNoOther(t *testing.T) {
	nan := math.NaN()
	n, err := operators.DistinctAdjacent(from(nan, nan, 1, 1), itself[float64]).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
}

func TestDistinctAdjacentIsRefusedWhereRowsAreMixedAndWhereAJobCannotGoOn(t *testing.T) {
	_, err := operators.DistinctAdjacent(operators.Merge(count(1, 1), count(1, 1)), itself[int]).Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "put DistinctAdjacent before")
	parts := &jobtest.Parts[int]{Rows: [][]int{{1}}, PageRows: 1}
	refused := func(s rxcql.Stream[int]) error {
		_, err := rxcql.New(s, sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent()),
			rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		return err
	}
	err = refused(operators.DistinctAdjacent(parts.Stream(), func(int) time.Time { return time.Time{} }))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "UnixMicro")
	once := operators.DistinctAdjacent(parts.Stream(), itself[int])
	require.NoError(t, refused(once))
	require.ErrorIs(t, refused(operators.DistinctAdjacent(once, itself[int])), rxcql.ErrNotResumable)
}

func TestAJobOverDistinctAdjacentBrokenOffAnywhereGivesEachRunOnceAndNoMore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts, store, d := someParts(rt), &jobtest.Store{}, &disturbance{}
		k := rapid.IntRange(1, 12).Draw(rt, "rows of a run")
		parts.Empty = rapid.Bool().Draw(rt, "empty pages")
		s := operators.DistinctAdjacent(parts.Stream(), func(c cell) [2]int { return [2]int{c.part, c.row / k} })
		s = operators.Tap(s, func(cell) error { return d.call() })
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		d.runs(rt, s, store, parts, to, func() {})
		want := map[cell]int{}
		for _, rows := range parts.Rows {
			for _, row := range rows {
				if row.row%k == 0 {
					want[row.key()] = row.value
				}
			}
		}
		require.Equal(rt, want, to.rows, "a row that is not the first of its run would be one more")
	})
}

func TestTheWatermarkGoesOnWithThePageOfWhichAllRowsAreDropped(t *testing.T) {
	var marks []flow.Watermark
	s := operators.DistinctAdjacent(script("A",
		happening{part: 0, at: []int{4}, mark: 4},
		happening{part: 0, at: []int{5}, mark: 5},
		happening{part: 0, last: true},
	), func(timed) int { return 0 })
	hear(t, spying(s, func(p *flow.Page[timed]) { marks = append(marks, p.Watermark) }), &listening{heard: newHeard()})
	require.Equal(t, []flow.Watermark{markAt(4), markAt(5), markAt(0)}, marks)
}
