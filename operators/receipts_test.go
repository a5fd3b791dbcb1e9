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
)

func TestEveryReceiptOfAnyChainSettlesOnceAndNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var calls atomic.Int64
		failAt := int64(rapid.OneOf(rapid.Just(-1), rapid.Just(-1), rapid.IntRange(1, 400)).Draw(rt, "fail at"))
		fail := func() error {
			if calls.Add(1) == failAt {
				return errUser
			}
			return nil
		}
		c := randomChain(rt, fail)
		sink := newLateSink(rapid.Uint64().Draw(rt, "seed"), rapid.OneOf(rapid.Just(-1), rapid.Just(-1), rapid.IntRange(1, 20)).Draw(rt, "sink fails at"))
		p, err := rxcql.New(c.s, sink, rxcql.WithBudget(c.budget))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.Zero(rt, rep.BytesInFlight, "%v", rep)
		if err != nil {
			require.True(rt, errors.Is(err, errUser) || errors.Is(err, errSink), "%v", err)
			require.False(rt, rep.Complete)
			return
		}
		require.Equal(rt, rep.Pages, rep.PagesSettled)
		c.reconcile(rt, rep)
		if !c.exact {
			return
		}
		got, want := append([]int{}, sink.rows...), slices.Clone(c.model)
		if !c.ordered {
			slices.Sort(got)
			slices.Sort(want)
		}
		require.Equal(rt, want, got)
	})
}

func TestStoppingAnyChainAtAnyRowLosesNothingThatCountsAsDone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var calls atomic.Int64
		var p *rxcql.Pipeline
		stopAt := int64(rapid.IntRange(1, 200).Draw(rt, "stop at"))
		c := randomChain(rt, func() error {
			if calls.Add(1) == stopAt {
				p.Stop()
			}
			return nil
		})
		p, err := rxcql.New(c.s, newLateSink(0, -1), rxcql.WithBudget(c.budget))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.Zero(rt, rep.BytesInFlight, "%v", rep)
		require.LessOrEqual(rt, rep.PagesSettled, rep.Pages)
		if err != nil { // a stream that fails when it has been stopped is not read again
			require.True(rt, c.fails && errors.Is(err, errPasses), "%v", err)
			return
		}
		c.reconcile(rt, rep)
	})
}
