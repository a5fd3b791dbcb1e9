package operators_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestAStopHandsOnNoGroupOfGroupByAndTakeBehindItSettlesAll(t *testing.T) {
	var p *rxcql.Pipeline
	out := &gather[operators.Group[int, int]]{}
	p, err := rxcql.New(operators.GroupBy(operators.Tap(count(1000, 10), func(n int) error {
		if n == 500 {
			p.Stop()
		}
		return nil
	}), itself[int], zero, add, operators.GroupByGroups(1000)), out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.Empty(t, out.rows())
	require.Zero(t, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	rep, err = run(t, operators.Take(operators.GroupBy(count(5000, 100), itself[int], zero, add, operators.GroupByGroups(5000)), 700))
	require.NoError(t, err)
	require.Equal(t, "Take", rep.EndedBy)
	require.EqualValues(t, 700, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	rep, err = run(t, operators.GroupBy(operators.Take(count(5000, 100), 700), itself[int], zero, add, operators.GroupByGroups(5000)))
	require.NoError(t, err)
	require.EqualValues(t, 700, rep.Written, "what Take lets through is all there is")
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestAFailureBehindGroupByLeavesAllPagesUnsettled(t *testing.T) {
	boom := errors.New("boom")
	pages := 0
	out := &gather[operators.Group[int, int]]{took: func([]operators.Group[int, int]) error {
		if pages++; pages == 3 {
			return boom
		}
		return nil
	}}
	rep, err := rxcql.Run(t.Context(), operators.GroupBy(count(5000, 100), itself[int], zero, add, operators.GroupByGroups(5000)), out)
	require.ErrorIs(t, err, boom)
	require.Equal(t, rep.EmptyPages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestPagesOfGroupBySettleWithTheLastOfItsGroups(t *testing.T) {
	for seed := range uint64(20) {
		late := newLateSink(seed, -1) // whose rows become durable later than Write, in any order
		groups := operators.GroupBy(count(5000, 100), func(n int) int { return n % 2000 }, zero, add, operators.GroupByGroups(2000))
		rep, err := rxcql.Run(t.Context(), operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Key, nil }), late)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 2000, rep.Written)
	}
}
