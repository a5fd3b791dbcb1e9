package sink_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// counts are the stages of a report by name, as in, out and dropped.
func counts(rep rxcql.Report) map[string][3]int64 {
	all := map[string][3]int64{}
	for _, st := range rep.Stages {
		all[st.Name] = [3]int64{st.In, st.Out, st.Dropped}
	}
	return all
}

func TestTheCountsOfAThroughThatEndsEarlyReconcile(t *testing.T) {
	take := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, 10) }
	rep, err := run(t, pagesOf(0, 1000, 100), sink.Through(take, collect(new([]int))))
	require.NoError(t, err)
	require.Equal(t, map[string][3]int64{
		"Seq": {0, 1000, 0}, "Through": {1000, 100, 900}, "Through in": {100, 100, 0}, "Take": {100, 10, 90}, "Each": {10, 10, 0},
	}, counts(rep))
	require.EqualValues(t, 10, rep.Written)
	require.EqualValues(t, 990, rep.Filtered)
}

func TestTheCountsOfATeeAndItsBranchesReconcile(t *testing.T) {
	to := func() rxcql.Sink[int] { return collect(new([]int)) }
	rep, err := run(t, ints(1000), sink.Tee(to(), sink.Through(even, to())))
	require.NoError(t, err)
	require.Equal(t, map[string][3]int64{
		"Seq": {0, 1000, 0}, "Tee": {1000, 1000, 0}, "Each": {1000, 1000, 0},
		"Through": {1000, 1000, 0}, "Through in": {1000, 1000, 0}, "Filter": {1000, 500, 500}, "Each 2": {500, 500, 0},
	}, counts(rep))
	require.EqualValues(t, 1500, rep.Written, "every row once a branch")
	require.EqualValues(t, 500, rep.Filtered)
}

func TestATeeCountsAsHandedOnWhatEveryBranchTook(t *testing.T) {
	bad := newBranch("Write", nil)
	rep, err := run(t, sequence(event{}), sink.Tee[event](bad))
	require.Error(t, err)
	require.Equal(t, [3]int64{1, 0, 0}, counts(rep)["Tee"])
}

func TestTheCountsOfAnyOperatorsInThroughReconcile(t *testing.T) {
	verbs := map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
		"Filter": even,
		"Take":   func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, 20) },
		"While": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.TakeWhile(in, func(n int) bool { return n < 50 })
		},
	}
	for _, name := range []string{"Map", "MapConcurrent", "Unordered", "Merge"} {
		verbs[name] = allRows[name]
	}
	names := []string{"Map", "MapConcurrent", "Unordered", "Merge", "Filter", "Take", "While"}
	rapid.Check(t, func(rt *rapid.T) {
		inside := rapid.SliceOfN(rapid.SampledFrom(names), 0, 4).Draw(rt, "inside")
		fn := func(s rxcql.Stream[int]) rxcql.Stream[int] {
			for _, name := range inside {
				s = verbs[name](s)
			}
			return s
		}
		rows, page := rapid.IntRange(0, 100).Draw(rt, "rows"), rapid.IntRange(1, 30).Draw(rt, "page")
		rep, err := run(t, pagesOf(0, rows, page), sink.Through(fn, collect(new([]int))))
		require.NoError(rt, err)
		all := counts(rep)
		through := all["Through"]
		require.EqualValues(rt, rows, through[0])
		require.Equal(rt, through[0], through[1]+through[2])
		require.Equal(rt, [3]int64{through[1], through[1], 0}, all["Through in"])
		require.Equal(rt, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
	})
}
