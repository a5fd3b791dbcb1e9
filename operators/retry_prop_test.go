package operators_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// readAgain has all verbs of random chains that Retry can read again without a wait.
var readAgain = []string{
	"Map", "Filter", "FlatMap", "Scan", "Reduce", "Take", "TakeWhile", "Skip", "Tap", "Batch", "Batch timed", "GroupAdjacent",
	"MapConcurrent", "Unordered", "Merge", "Concat", "Distinct", "DistinctAdjacent", "Recover",
}

// A branch has ended by a Take of its own. Stop cuts another one, or a call of that fails then.
func TestARunIsEndedByStopThoughTakeHadEndedABranchBefore(t *testing.T) {
	for name, failure := range map[string]error{"a failure": errPasses, "none": nil} {
		t.Run(name, func(t *testing.T) {
			var p *rxcql.Pipeline
			second := operators.Map(count(100, 1), func(n int) (int, error) {
				p.Stop()
				return n, failure
			})
			to := &gather[int]{}
			p, err := rxcql.New(operators.Retry(operators.Concat(operators.Take(count(10, 1), 1), second), atOnce()...), to)
			require.NoError(t, err)
			rep, err := p.Run(context.Background())
			require.ErrorIs(t, err, failure, "it is not repeated")
			require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
			require.False(t, rep.Complete)
			require.Zero(t, rep.Retried)
			require.Zero(t, rep.BytesInFlight)
			require.Less(t, len(to.rows()), 10)
		})
	}
}

func TestAnyChainIsReadAgainUntilAllOfItsRowsHaveCome(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var calls atomic.Int64
		var p *rxcql.Pipeline
		at := rapid.SliceOfN(rapid.Int64Range(1, 1000), 0, 6).Draw(rt, "fail at")
		stopAt := rapid.OneOf(rapid.Just(int64(-1)), rapid.Just(int64(-1)), rapid.Int64Range(1, 400)).Draw(rt, "stop at")
		n := rapid.IntRange(0, 200).Draw(rt, "rows")
		c := &chain{
			s: count(n, rapid.IntRange(1, 40).Draw(rt, "page")), model: upTo(n), exact: true, ordered: true,
			inputs: map[string][]string{}, numbers: map[string]int{}, budget: rxcql.MinBudgetPerInput,
		}
		c.stage("Seq")
		for range rapid.IntRange(1, 5).Draw(rt, "length") {
			c.growBy(rt, rapid.SampledFrom(readAgain).Draw(rt, "verb"), func() error {
				call := calls.Add(1)
				if call == stopAt {
					p.Stop()
				}
				if slices.Contains(at, call) {
					return errPasses
				}
				return nil
			})
		}
		sink := newLateSink(rapid.Uint64().Draw(rt, "seed"), rapid.OneOf(rapid.Just(-1), rapid.Just(-1), rapid.IntRange(1, 40)).Draw(rt, "sink fails at"))
		p, err := rxcql.New(operators.Retry(c.s, atOnce()...), sink, rxcql.WithBudget(c.budget))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.Zero(rt, rep.BytesInFlight, "%v", rep)
		require.LessOrEqual(rt, rep.PagesSettled+rep.PagesGivenUp, rep.Pages)
		stopped := rep.EndedBy == rxcql.EndedByStop
		switch {
		case err != nil && stopped: // then a failure is not repeated
			require.True(rt, errors.Is(err, errSink) || errors.Is(err, errPasses), "%v", err)
			return
		case err != nil:
			require.ErrorIs(rt, err, errSink)
			return
		case stopped:
			return
		}
		require.Equal(rt, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, "%v", rep)
		if rep.Retried == 0 {
			require.Zero(rt, rep.PagesGivenUp)
		}
		if !c.exact {
			return
		}
		if c.ordered {
			require.GreaterOrEqual(rt, len(sink.rows), len(c.model))
			require.Equal(rt, c.model, append([]int{}, sink.rows[len(sink.rows)-len(c.model):]...), "of the last attempt")
			return
		}
		left := slices.Clone(sink.rows)
		for _, row := range c.model {
			i := slices.Index(left, row)
			require.GreaterOrEqual(rt, i, 0, "row %d has not come", row)
			left = slices.Delete(left, i, i+1)
		}
	})
}
