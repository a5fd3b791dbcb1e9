package operators_test

import (
	"cmp"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// ofKey are rows of one key.
func ofKey(key, n int) (rows []tagged) {
	for at := range n {
		rows = append(rows, tagged{key: key, at: at})
	}
	return rows
}

func paging(rows []tagged, page int) rxcql.Stream[tagged] {
	return source.Seq(func(yield func(tagged, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}, source.PageRows(page))
}

func TestRowsOfOneKeyOnBothSidesArePairedEachWithEach(t *testing.T) {
	left := append(append(ofKey(1, 3), ofKey(5, 70)...), ofKey(9, 1)...)
	right := append(append(ofKey(0, 2), ofKey(5, 90)...), ofKey(9, 40)...)
	for _, pages := range [][2]int{{1, 1}, {1, 100}, {100, 1}, {7, 11}, {200, 200}, {73, 92}} {
		got, rep := pagesOut(t, join2(paging(left, pages[0]), paging(right, pages[1])))
		var all []couple
		for _, p := range got {
			require.LessOrEqual(t, len(p.Rows), flow.DefaultPageRows)
			all = append(all, p.Rows...)
		}
		require.Equal(t, bruteForce(left, right, true, true), all, "%v", pages)
		require.True(t, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	}
}

func TestTooManyRowsOfOneKeyAreAnErrorAndNoneIsLostBelowTheBound(t *testing.T) {
	s := func(bytes int64) rxcql.Stream[couple] {
		return join2(paging(ofKey(1, 2), 1), paging(ofKey(1, 1000), 10), operators.JoinBytes(bytes))
	}
	_, err := s(23_000).Count(t.Context())
	require.ErrorIs(t, err, operators.ErrJoinFull)
	failedIn(t, "MergeJoin", err)
	n, err := s(24_000).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2000, n)
	_, err = s(0).Count(t.Context())
	require.ErrorContains(t, err, "JoinBytes is 0")
}

func TestRowsThatMergeJoinKeepsAreChargedAndNamedWhereTheBudgetHasNoRoom(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		one := func(weighty) int { return 1 }
		pairs := operators.MergeJoin(weighties(2), weighties(2000), one, one, cmp.Compare[int])
		_, err := pairs.Count(context.Background(), rxcql.WithBudget(256<<10))
		var held *flow.BudgetHeldError
		require.ErrorAs(t, err, &held)
		require.Equal(t, "MergeJoin", held.Stage)
		n, err := pairs.Count(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 4000, n)
	})
}

func TestMergeJoinKeepsBytesOfItsKeysAndRowsThoughTheirPagesAreUsedAgain(t *testing.T) {
	// Each page has one row, of bytes that are overwritten when Next has returned.
	spoiled := func(rows ...string) rxcql.Stream[[]byte] {
		return rxcql.Lift(source.Seq(valuesIn(rows), source.PageRows(1)), rxcql.StageInfo{Name: "Spoil"},
			func(_ *rxcql.Stage, out flow.Observer[[]byte]) flow.Observer[string] { return &spoiling{out: out} })
	}
	got := collect(t, operators.Map(operators.MergeJoin(spoiled("a", "b", "b", "c"), spoiled("b", "b", "b", "d"),
		itself[[]byte], itself[[]byte], func(a, b []byte) int { return cmp.Compare(string(a), string(b)) }),
		func(p rxcql.Pair[[]byte, []byte]) (string, error) { return string(p.Left) + "-" + string(p.Right), nil }))
	require.Equal(t, []string{"a-", "b-b", "b-b", "b-b", "b-b", "b-b", "b-b", "c-", "-d"}, got)
}

func valuesIn(all []string) func(func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for _, s := range all {
			if !yield(s, nil) {
				return
			}
		}
	}
}

type spoiling struct{ out flow.Observer[[]byte] }

func (s *spoiling) Next(ctx context.Context, p *flow.Page[string]) error {
	var rows [][]byte
	for _, row := range p.Rows {
		rows = append(rows, []byte(row))
	}
	err := s.out.Next(ctx, flow.Derive(p, rows))
	for _, row := range rows {
		for i := range row {
			row[i] = '~'
		}
	}
	return err
}

func (s *spoiling) Done(ctx context.Context, stopped bool) error { return s.out.Done(ctx, stopped) }

func TestWatermarksOfRowsThatMergeJoinKeepsWaitForTheirPairs(t *testing.T) {
	var said []string
	right := script("R", happening{part: 0, at: []int{5}, mark: 5}, happening{part: 0, mark: 6}, happening{part: 1, mark: 3},
		happening{part: 0, at: []int{9}, mark: 9}, happening{part: 0, last: true}, happening{part: 1, last: true})
	left := script("L", happening{part: 0, at: []int{5}}, happening{part: 0, at: []int{5}}, happening{part: 0, at: []int{7}, last: true})
	at := func(e timed) int { return e.at }
	sink := &gather[rxcql.Pair[timed, timed]]{}
	p, err := rxcql.New(operators.MergeJoin(left, right, at, at, cmp.Compare[int]), sink)
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	pairs := 0
	for _, page := range sink.pages {
		for _, row := range page.Rows {
			if row.HasRight && row.Right.at == 5 {
				pairs++
			}
		}
		if page.Source != nil && page.Source.Name == "R" && page.Range == 0 && page.Watermark.Known() {
			require.Equal(t, 2, pairs, "behind %v", said)
			said = append(said, page.Watermark.String())
		}
	}
	require.Equal(t, []string{markAt(6).String(), markAt(9).String()}, said)
}
