package sink_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// sorted is a row of a table that is ordered by a, then b.
type sorted struct{ a, b int }

func sortedRows(n int) *jobtest.Parts[sorted] {
	p := &jobtest.Parts[sorted]{PageRows: 3, Rows: [][]sorted{nil}}
	for i := range n {
		p.Rows[0] = append(p.Rows[0], sorted{i / 8, i / 3})
	}
	return p
}

// countBy counts adjacent rows of one key, in a branch of its own.
func countBy[K comparable](key func(sorted) K, counts map[K]int) rxcql.Sink[sorted] {
	return sink.Through(func(in rxcql.Stream[sorted]) rxcql.Stream[operators.Group[K, int]] {
		return operators.GroupAdjacent(in, key, func() int { return 0 }, func(n int, _ sorted) (int, error) { return n + 1, nil })
	}, sink.Each(func(_ context.Context, g operators.Group[K, int]) error {
		counts[g.Key] = g.Value
		return nil
	}, sink.Idempotent()))
}

func byA(r sorted) int     { return r.a }
func byAB(r sorted) sorted { return r }

func TestTheStagesInBranchesHaveTheSameNamesInEveryRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	a, ab := map[int]int{}, map[sorted]int{}
	for i := range 200 {
		runtime.GOMAXPROCS(1 + i%2) // the goroutines of the branches begin in another order
		p, err := rxcql.New(sortedRows(20).Stream(), sink.Tee(countBy(byA, a), countBy(byAB, ab)), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		out := map[string]int64{}
		for _, st := range rep.Stages {
			out[st.Name] = st.Out
		}
		require.NotEqual(t, len(a), len(ab))
		require.EqualValues(t, len(a), out["GroupAdjacent"], "in the first branch")
		require.EqualValues(t, len(ab), out["GroupAdjacent 2"], "in the second")
	}
}

func TestFoldsInBranchesThatAreBrokenOffAnywhereAreWholeInTheEnd(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const rows = 40
	wantA, wantAB := map[int]int{}, map[sorted]int{}
	for _, row := range sortedRows(rows).Rows[0] {
		wantA[byA(row)]++
		wantAB[byAB(row)]++
	}
	for i := range 5 * rows {
		parts, store := sortedRows(rows), &jobtest.Store{}
		a, ab := map[int]int{}, map[sorted]int{}
		for _, breakAt := range []int{i%rows + 1, 0} {
			runtime.GOMAXPROCS(1 + min(breakAt, 1))
			n := 0
			in := operators.Tap(parts.Stream(), func(sorted) error {
				if n++; n == breakAt {
					return errBroken
				}
				return nil
			})
			p, err := rxcql.New(in, sink.Tee(countBy(byA, a), countBy(byAB, ab)), rxcql.WithCheckpoint(store, "job"))
			require.NoError(t, err)
			_, err = p.Run(context.Background())
			if breakAt > 0 {
				require.ErrorIs(t, err, errBroken)
				continue
			}
			require.NoError(t, err)
		}
		require.Equal(t, wantA, a, "broken off at row %d", i%rows+1)
		require.Equal(t, wantAB, ab, "broken off at row %d", i%rows+1)
	}
}
