package operators_test

import (
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func each(rows []int, fn func(int) []int) []int {
	out := []int{}
	for _, n := range rows {
		out = append(out, fn(n)...)
	}
	return out
}

// positive is a number that a row may be looked up by.
func positive(n int) int { return n & (1<<31 - 1) }

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func groupModel(rows []int, key func(int) int) []int {
	sums := []int{}
	for i, n := range rows {
		if i > 0 && key(n) == key(rows[i-1]) {
			sums[len(sums)-1] += n
			continue
		}
		sums = append(sums, n)
	}
	return sums
}

func groupByModel(rows []int, key func(int) int) []int {
	sums, at := []int{}, map[int]int{}
	for _, n := range rows {
		i, there := at[key(n)]
		if !there {
			i = len(sums)
			at[key(n)], sums = i, append(sums, 0)
		}
		sums[i] += n
	}
	return sums
}

// reconcile checks that no row is lost between stages or inside one.
func (c *chain) reconcile(t require.TestingT, rep rxcql.Report) {
	stages := stagesOf(rep)
	for name, inputs := range c.inputs {
		var sent int64
		for _, in := range inputs {
			sent += stages[in].Out
		}
		require.Equal(t, sent, stages[name].In, "into %s of %v", name, rep)
	}
	require.Equal(t, stages[c.last()].Out, stages["late"].In, "into the sink of %v", rep)
	require.Equal(t, rep.Written, stages["late"].Out)
	require.Equal(t, stages["late"].In, stages["late"].Out, "%v", rep)
	for name, st := range stages {
		switch {
		case hasVerb(name, "Map", "Scan", "Tap", "Merge", "MergeSorted", "Concat", "Retry", "Recover", "Distinct", "DistinctAdjacent", "Filter", "Take", "TakeWhile", "Skip", "MapConcurrent", "Lookup", "Lanes in", "Lane 1", "Lane 2", "Lane 3", "Lane 4", "Lanes",
			"Throttle", "Buffer", "Timeout", "Sample", "Debounce", "EventTime"):
			require.Equal(t, st.In, st.Out+st.Dropped+st.Skipped+st.DeadLettered, "%s of %v", name, rep)
		}
	}
}

func hasVerb(name string, verbs ...string) bool {
	for _, verb := range verbs {
		if name == verb || len(name) > len(verb) && name[:len(verb)+1] == verb+" " {
			return true
		}
	}
	return false
}
