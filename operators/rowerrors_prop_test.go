package operators_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// failing are the verbs that leave rows out which fail, and others that do not
// call a function which may; folds end the run.
var failing = []string{
	"Map", "FlatMap", "Tap", "MapConcurrent", "Unordered", "Lookup", "Lookup unordered",
	"Filter", "Take", "TakeWhile", "Skip", "Batch", "Batch timed", "Merge", "Scan", "Lanes", "EventTime",
}

func TestRowsThatFailAnywhereInAnyChainAreAllCounted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed atomic.Int64
		percent := rapid.IntRange(0, 100).Draw(rt, "percent of rows that fail")
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		fail := func() error {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(100) < percent {
				failed.Add(1)
				return errUser
			}
			return nil
		}
		n := rapid.IntRange(0, 200).Draw(rt, "rows")
		c := &chain{
			s: count(n, rapid.IntRange(1, 40).Draw(rt, "page")), model: upTo(n),
			inputs: map[string][]string{}, numbers: map[string]int{}, budget: rxcql.MinBudgetPerInput,
		}
		c.stage("Seq")
		for range rapid.IntRange(1, 5).Draw(rt, "length") {
			c.growBy(rt, rapid.SampledFrom(failing).Draw(rt, "verb"), fail)
		}
		letters := &jobtest.Letters{}
		policy, skips := rxcql.DeadLetter(letters), rapid.Bool().Draw(rt, "skip")
		if skips {
			policy = rxcql.SkipRows(1 << 40)
		}
		sink := newLateSink(rapid.Uint64().Draw(rt, "seed"), -1)
		p, err := rxcql.New(c.s, sink, rxcql.WithBudget(c.budget), rxcql.WithRowErrors(policy))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.NoError(rt, err)
		require.Zero(rt, rep.BytesInFlight, "%v", rep)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
		c.reconcile(rt, rep)
		left := rep.Skipped + rep.DeadLettered
		if skips {
			require.Zero(rt, rep.DeadLettered)
		} else {
			require.Zero(rt, rep.Skipped)
			require.Len(rt, letters.All, int(left))
		}
		require.LessOrEqual(rt, left, failed.Load())
		if rep.EndedBy == "" { // else calls that failed when the stream had ended are none
			require.Equal(rt, failed.Load(), left, "%v", rep)
		}
		if !slices.ContainsFunc(c.names, func(name string) bool { return hasVerb(name, "FlatMap", "Batch") }) {
			require.Equal(rt, rep.ReadRows, rep.Written+rep.Filtered+left, "%v", rep)
		}
	})
}
