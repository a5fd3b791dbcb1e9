package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestConcatGivesAllRowsOfAStreamBeforeThoseOfTheNext(t *testing.T) {
	for name, c := range map[string]struct {
		ins  []rxcql.Stream[int]
		want []int
	}{
		"one":         {[]rxcql.Stream[int]{count(3, 2)}, []int{0, 1, 2}},
		"empty":       {[]rxcql.Stream[int]{count(0, 2), count(0, 2)}, nil},
		"empty first": {[]rxcql.Stream[int]{count(0, 2), count(2, 2)}, []int{0, 1}},
		"several":     {[]rxcql.Stream[int]{count(3, 2), count(0, 1), count(1, 1), count(4, 3)}, []int{0, 1, 2, 0, 0, 1, 2, 3}},
	} {
		pages, rep := pagesOut(t, operators.Concat(c.ins...))
		var got []int
		for _, p := range pages {
			got = append(got, p.Rows...)
		}
		require.Equal(t, c.want, got, name)
		require.True(t, rep.Complete, name)
		require.Equal(t, rep.Pages, rep.PagesSettled, name)
		require.EqualValues(t, len(c.want), stagesOf(rep)["Concat"].In, name)
	}
	_, err := operators.Concat[int]().Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
}

func TestConcatBeginsAStreamWhenTheOneBeforeIsDoneAndTakeLimitsThemTogether(t *testing.T) {
	var first, second, third int
	s := operators.Concat(source.Seq(numbers(5, &first)), source.Seq(numbers(1000, &second)), source.Seq(numbers(5, &third)))
	begunEarly := false
	s = operators.Tap(s, func(int) error {
		begunEarly = begunEarly || first < 5 && second > 0
		return nil
	})
	sink := &gather[int]{}
	p, err := rxcql.New(operators.Take(s, 8), sink)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 3, 4, 0, 1, 2}, sink.rows())
	require.False(t, begunEarly)
	require.Equal(t, []int{5, 3, 0}, []int{first, second, third}, "no row more than is wanted is read")
	require.Equal(t, "Take", rep.EndedBy)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestAnEndOnPurposeInsideAStreamOfConcatIsTheEndOfThatStreamAlone(t *testing.T) {
	require.Equal(t, []int{0, 1, 0, 1, 2}, collect(t, operators.Concat(operators.Take(count(1<<40, 7), 2), count(3, 2))))
}

func TestConcatBeginsNothingMoreWhenReadingIsStopped(t *testing.T) {
	for _, page := range []int{1, 100} { // also if that is the last page of the stream before
		var p *rxcql.Pipeline
		begun := 0
		stopping := operators.Tap(count(10, page), func(n int) error {
			if n == 5 {
				p.Stop()
			}
			return nil
		})
		sink := &gather[int]{}
		p, err := rxcql.New(operators.Reduce(operators.Concat(stopping, source.Seq(numbers(5, &begun))), zero, add), sink)
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Stop", rep.EndedBy)
		require.Zero(t, begun)
		require.Empty(t, sink.rows(), "a fold over a part")
	}
}

// twoSources are two sources of a job, one after the other; rows of the second have parts
// from 100 on.
func twoSources(rt *rapid.T) (first, second *jobtest.Parts[cell]) {
	first, second = someParts(rt), someParts(rt)
	second.Name = "Second"
	for _, rows := range second.Rows {
		for i := range rows {
			rows[i].part += 100
		}
	}
	return first, second
}

func TestAJobOverConcatBrokenOffAnywhereGivesEachRowAndNoneOfTheNextStreamTooEarly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first, second := twoSources(rt)
		store, d := &jobtest.Store{}, &disturbance{}
		s := operators.Tap(operators.Concat(first.Stream(), second.Stream()), func(cell) error { return d.call() })
		early, inSecond := false, false
		s = operators.Tap(s, func(c cell) error {
			early = early || c.part < 100 && inSecond
			inSecond = c.part >= 100
			return nil
		})
		to := newDurable(rapid.Uint64().Draw(rt, "seed"))
		for runs := 0; ; runs++ {
			var p *rxcql.Pipeline
			d.left.Store(0)
			inSecond = false
			if runs < 20 { // an end must come
				d.next(rt, func() *rxcql.Pipeline { return p })
			}
			p, err := rxcql.New(s, to, rxcql.WithCheckpoint(store, "job"))
			require.NoError(rt, err)
			rep, err := p.Run(context.Background())
			require.False(rt, early)
			if err != nil {
				require.ErrorIs(rt, err, errUser)
			}
			if rep.Complete {
				break
			}
		}
		want := map[cell]int{}
		for _, rows := range append(first.Rows, second.Rows...) {
			for _, row := range rows {
				want[row.key()] = row.value
			}
		}
		require.Equal(rt, want, to.rows)
	})
}

func TestGroupsEndWithTheStreamOfConcatThatTheyAreOf(t *testing.T) {
	ones := func() rxcql.Stream[int] { return operators.Map(count(3, 2), func(int) (int, error) { return 1, nil }) }
	groups := operators.GroupAdjacent(operators.Concat(ones(), ones()), func(n int) int { return n }, zero, add)
	require.Equal(t, []operators.Group[int, int]{{Key: 1, Value: 3, Rows: 3}, {Key: 1, Value: 3, Rows: 3}}, collect(t, groups))
}
