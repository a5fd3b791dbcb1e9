package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

type keyed struct {
	key string
	n   int
}

func rowsOf(key string, ns ...int) []keyed {
	rows := make([]keyed, len(ns))
	for i, n := range ns {
		rows[i] = keyed{key, n}
	}
	return rows
}

func sumByKey(in rxcql.Stream[keyed]) rxcql.Stream[operators.Group[string, int]] {
	return operators.GroupAdjacent(in, func(r keyed) string { return r.key }, zero,
		func(sum int, r keyed) (int, error) { return sum + r.n, nil })
}

type group = operators.Group[string, int]

func TestGroupsCrossPagesButNotRanges(t *testing.T) {
	in := ranges(
		part[keyed]{0, rowsOf("a", 1, 2), false},
		part[keyed]{1, rowsOf("a", 10), false},
		part[keyed]{0, append(rowsOf("a", 3), rowsOf("b", 4)...), false},
		part[keyed]{1, nil, true},
		part[keyed]{0, nil, false},
		part[keyed]{0, append(rowsOf("b", 5), append(rowsOf("c", 6), rowsOf("d", 7)...)...), true},
	)
	pages, rep := pagesOut(t, sumByKey(in))
	var got [][]group
	for _, p := range pages {
		got = append(got, p.Rows)
	}
	require.Equal(t, [][]group{
		{{"a", 6, 3}},
		{{"a", 10, 1}},
		{{"b", 9, 2}, {"c", 6, 1}, {"d", 7, 1}},
	}, got)
	require.Equal(t, []int{0, 1, 0}, []int{pages[0].Range, pages[1].Range, pages[2].Range})
	require.True(t, pages[1].Last && pages[2].Last && !pages[0].Last)
	require.True(t, rep.Complete)
	require.EqualValues(t, 6, rep.PagesSettled)
}

func TestAGroupsPagesSettleWhenTheGroupIsDurableAndNotBefore(t *testing.T) {
	in := ranges(
		part[keyed]{0, rowsOf("a", 1), false},
		part[keyed]{0, rowsOf("a", 2), false},
		part[keyed]{0, append(rowsOf("a", 3), rowsOf("b", 1)...), false},
		part[keyed]{0, rowsOf("b", 2), false},
		part[keyed]{0, nil, true},
	)
	var settled []int64
	var p *rxcql.Pipeline
	sink := &gather[group]{took: func([]group) error {
		settled = append(settled, p.Progress().PagesSettled)
		return nil
	}}
	p, err := rxcql.New(sumByKey(in), sink)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, []group{{"a", 6, 3}, {"b", 3, 2}}, sink.rows())
	require.Equal(t, []int64{0, 2}, settled, "the page that b began in waits for b")
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestGroupsOpenWhenTheStreamIsEndedOnPurposeAreHandedOn(t *testing.T) {
	in := ranges(
		part[keyed]{0, rowsOf("a", 1, 2), false},
		part[keyed]{1, rowsOf("z", 1), false},
		part[keyed]{0, rowsOf("a", 3, 4), false},
	)
	got := collect(t, sumByKey(operators.Take(in, 4)))
	require.Equal(t, []group{{"a", 6, 3}, {"z", 1, 1}}, got)
}

func TestAGroupOpenAtAStopIsDroppedAndItsPagesAreReadAgain(t *testing.T) {
	var p *rxcql.Pipeline
	in := operators.Tap(ranges(
		part[keyed]{0, append(rowsOf("a", 1), rowsOf("b", 1)...), false},
		part[keyed]{0, rowsOf("b", 2), false},
		part[keyed]{0, rowsOf("b", 3), true},
	), func(r keyed) error {
		if r.n == 2 {
			p.Stop()
		}
		return nil
	})
	sink := &gather[group]{}
	p, err := rxcql.New(sumByKey(in), sink)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, []group{{"a", 1, 1}}, sink.rows())
	require.False(t, rep.Complete)
	require.Equal(t, "Stop", rep.EndedBy)
	require.EqualValues(t, 2, rep.Pages)
	require.Zero(t, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestReduceAtAStopHandsNothingOnAndIsNoError(t *testing.T) {
	var p *rxcql.Pipeline
	in := operators.Tap(count(10, 2), func(n int) error {
		if n == 3 {
			p.Stop()
		}
		return nil
	})
	sink := &gather[int]{}
	p, err := rxcql.New(operators.Reduce(in, zero, add), sink)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Empty(t, sink.rows())
	require.Equal(t, "Stop", rep.EndedBy)
	require.Less(t, rep.PagesSettled, rep.Pages)
	require.Zero(t, rep.BytesInFlight)
}

func TestGroupAdjacentRefusesRowsThatNoLongerArriveTogether(t *testing.T) {
	in := ranges(part[keyed]{0, rowsOf("a", 1), true})
	same := func(_ context.Context, r keyed) (keyed, error) { return r, nil }
	for name, s := range map[string]rxcql.Stream[keyed]{
		"Merge":                 operators.Merge(in, in),
		"Unordered":             operators.MapConcurrent(in, 2, same, operators.Unordered()),
		"a Map after Unordered": operators.Tap(operators.MapConcurrent(in, 2, same, operators.Unordered()), func(keyed) error { return nil }),
	} {
		_, err := sumByKey(s).Collect(context.Background())
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, "put GroupAdjacent before", name)
	}
	require.Len(t, collect(t, sumByKey(operators.MapConcurrent(in, 2, same))), 1)
	require.Len(t, collect(t, sumByKey(operators.Merge(in))), 1)
}
