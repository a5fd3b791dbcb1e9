package operators_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// anyStream is a stream whose rows do not matter.
type anyStream interface {
	Count(ctx context.Context, opts ...rxcql.Option) (int64, error)
}

// verbs are all operators that call a function, over in, which call fn at each
// row.
func verbs(in rxcql.Stream[int], fn func(int) error) map[string]anyStream {
	pass := func(n int) (int, error) { return n, fn(n) }
	fold := func(_, n int) (int, error) { return n, fn(n) }
	call := func(_ context.Context, n int) (int, error) { return n, fn(n) }
	return map[string]anyStream{
		"Map":           operators.Map(in, pass),
		"FlatMap":       operators.FlatMap(in, func(n int, emit func(int) bool) error { emit(n); return fn(n) }),
		"Scan":          operators.Scan(in, zero, fold),
		"Reduce":        operators.Reduce(in, zero, fold),
		"Tap":           operators.Tap(in, fn),
		"EventTime":     operators.EventTime(in, func(n int) (time.Time, error) { return time.Unix(int64(n), 0), fn(n) }),
		"GroupAdjacent": operators.GroupAdjacent(in, func(n int) int { return n / 10 }, zero, fold),
		"MapConcurrent": operators.MapConcurrent(in, 8, call),
		"Conflate":      operators.Conflate(in, zero, fold),
		"Unordered":     operators.MapConcurrent(in, 8, call, operators.Unordered()),
		"Lookup":        lookUpCustomer(in, itself[int], pass, operators.LookupInFlight(8)),
		"GroupBy":       operators.GroupBy(in, func(n int) int { return n % 10 }, zero, fold, operators.GroupByGroups(10)),
		"Window":        operators.Window(in, operators.Tumbling(time.Hour), second, func(n int) int { return n % 10 }, zero, fold, operators.WindowKeys(1<<40)),
		"WindowWithLate": operators.WindowWithLate(in, operators.Session(time.Hour), second, func(n int) int { return n % 10 }, zero, fold,
			operators.WindowKeys(100), operators.MergeStates(add)),
		"WindowAdjacent": operators.WindowAdjacent(in, operators.Hopping(time.Hour, 30*time.Minute), second, func(int) int { return 0 }, zero, fold),
	}
}

// second is the moment of a number of seconds since 1970.
func second(n int) time.Time { return time.Unix(int64(n), 0) }

// questions are the operators that ask a function which cannot fail.
func questions(in rxcql.Stream[int], ask func(int) bool) map[string]anyStream {
	keep := func(_, n int) (int, error) { return n, nil }
	return map[string]anyStream{
		"Filter":           operators.Filter(in, ask),
		"TakeWhile":        operators.TakeWhile(in, ask),
		"GroupAdjacent":    operators.GroupAdjacent(in, ask, zero, keep),
		"Distinct":         operators.Distinct(in, ask, operators.DistinctKeys(2)),
		"DistinctAdjacent": operators.DistinctAdjacent(in, ask),
		"GroupBy":          operators.GroupBy(in, ask, zero, keep, operators.GroupByGroups(2)),
		"Window":           operators.Window(in, operators.Tumbling(time.Hour), second, ask, zero, keep, operators.WindowKeys(2)),
		"WindowAdjacent":   operators.WindowAdjacent(in, operators.Tumbling(time.Hour), second, ask, zero, keep),
		"Lanes in":         operators.Lanes(in, 2, ask, sameRows),
	}
}

// rates are the operators that go by time or by how busy downstream is.
func rates(in rxcql.Stream[int]) map[string]anyStream {
	return map[string]anyStream{
		"Throttle":       operators.Throttle(in, rxcql.NewRate(rxcql.RowsPerSecond(1e6))),
		"Buffer":         operators.Buffer(in, 100, rxcql.OverflowBlock),
		"Buffer, latest": operators.Buffer(in, 100, rxcql.OverflowLatest),
		"Timeout":        operators.Timeout(in, time.Hour),
		"Sample":         operators.Sample(in, time.Hour),
		"Debounce":       operators.Debounce(in, time.Hour),
		"Conflate":       operators.Conflate(in, zero, add),
	}
}

func failedIn(t *testing.T, verb string, err error) {
	t.Helper()
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage, verb)
	if verb == "Unordered" {
		verb = "MapConcurrent"
	}
	require.Equal(t, verb, stage.Stage)
}

func TestAnErrorOfAFunctionNamesItsStage(t *testing.T) {
	boom := errors.New("boom")
	for verb, s := range verbs(count(1000, 10), func(n int) error {
		if n == 42 {
			return boom
		}
		return nil
	}) {
		_, err := s.Count(context.Background())
		require.ErrorIs(t, err, boom, verb)
		failedIn(t, verb, err)
	}
}

func TestAPanicOfAFunctionIsAnErrorWithItsStack(t *testing.T) {
	boom := errors.New("boom")
	all := verbs(count(1000, 10), func(n int) error {
		if n == 42 {
			panic(boom)
		}
		return nil
	})
	for verb, s := range questions(count(1000, 10), func(n int) bool {
		if n == 42 {
			panic(boom)
		}
		return true
	}) {
		all[verb+" "] = s
	}
	for verb, s := range all {
		_, err := s.Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrPanic, verb)
		require.ErrorIs(t, err, boom, verb)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage, verb)
		require.Contains(t, string(stage.Stack), "faults_test.go", verb)
		failedIn(t, strings.TrimSpace(verb), err)
	}
}

func TestCancelGivesItsCause(t *testing.T) {
	why := errors.New("why")
	waiting := func() rxcql.Stream[int] { return source.Chan(make(chan int)) }
	call := func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	all := verbs(count(1<<40, 10), func(int) error { return nil })
	all["Batch timed"] = operators.Batch(waiting(), operators.BatchLinger(time.Hour))
	all["Merge of waiting"] = operators.Merge(waiting(), waiting())
	all["Zip of waiting"] = operators.Zip(count(10, 3), waiting(), pairOf)
	all["MergeSorted of waiting"] = operators.MergeSorted(cmp.Compare[int], count(10, 3), waiting(), waiting())
	all["MergeJoin of waiting"] = operators.MergeJoin(waiting(), count(10, 3), itself[int], itself[int], cmp.Compare[int])
	all["IntervalJoin of waiting"] = allPairs(waiting(), count(10, 3), operators.IntervalJoinRows(100))
	all["Retry of waiting"] = operators.Retry(operators.MapConcurrent(count(100, 10), 5, call))
	all["Recover of waiting"] = operators.Recover(waiting(), count(10, 3))
	all["Concat of waiting"] = operators.Concat(count(10, 3), waiting(), waiting())
	all["MapConcurrent after waiting"] = operators.MapConcurrent(waiting(), 5, ctxDouble)
	all["MapConcurrent that waits"] = operators.MapConcurrent(count(100, 10), 5, call)
	all["Unordered that waits"] = operators.MapConcurrent(count(100, 10), 5, call, operators.Unordered())
	for verb := range rates(count(1, 1)) {
		all[verb+" of waiting"] = rates(waiting())[verb]
	}
	for verb, s := range all {
		ctx, cancel := context.WithCancelCause(context.Background())
		timer := time.AfterFunc(5*time.Millisecond, func() { cancel(why) })
		_, err := s.Count(ctx)
		require.ErrorIs(t, err, why, verb)
		timer.Stop()
		cancel(nil)
	}
}

func TestAnErrorOfTheSourceEndsEveryVerb(t *testing.T) {
	boom := errors.New("boom")
	failing := source.Seq(func(yield func(int, error) bool) {
		for i := range 100 {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, boom)
	}, source.PageRows(7))
	all := verbs(failing, func(int) error { return nil })
	all["Batch"] = operators.Batch(failing, operators.BatchRows(30))
	all["Batch timed"] = operators.Batch(failing, operators.BatchLinger(time.Hour))
	all["Merge"] = operators.Merge(failing, count(1<<40, 100))
	all["Zip"] = operators.Zip(failing, count(1<<40, 100), pairOf)
	all["MergeSorted"] = operators.MergeSorted(cmp.Compare[int], failing, count(1<<40, 100))
	all["MergeJoin"] = operators.MergeJoin(failing, count(1<<40, 100), itself[int], itself[int], cmp.Compare[int])
	all["IntervalJoin"] = allPairs(failing, count(10, 3), operators.IntervalJoinRows(1<<20))
	all["Concat, first"] = operators.Concat(failing, count(1<<40, 100))
	all["Distinct"] = operators.Distinct(failing, itself[int], operators.DistinctKeys(1000))
	all["DistinctAdjacent"] = operators.DistinctAdjacent(failing, itself[int])
	all["Retry"] = operators.Retry(failing)
	all["Recover"] = operators.Recover(failing, count(1<<40, 100), operators.RecoverIf(func(error) bool { return false }))
	all["Take"] = operators.Take(failing, 1000)
	all["Lanes"] = operators.Lanes(failing, 3, itself[int], sameRows)
	all["Skip"] = operators.Skip(failing, 10)
	all["Rx"] = operators.Rx[int, int](failing, func(o rxgo.Observable) rxgo.Observable { return o })
	maps.Copy(all, rates(failing))
	for verb, s := range all {
		_, err := s.Count(context.Background())
		require.ErrorIs(t, err, boom, verb)
		failedIn(t, "Seq", err)
	}
}

func TestEverythingWrongIsReportedTogetherAndNothingRuns(t *testing.T) {
	taken := 0
	in := source.Seq(numbers(10, &taken))
	var none func(int) (int, error)
	s := operators.Map(in, none)
	s = operators.Filter(s, nil)
	s = operators.Tap(s, nil)
	s = operators.Take(s, -1)
	s = operators.Skip(s, -2)
	s = operators.TakeWhile(s, nil)
	s = operators.Scan[int, int](s, nil, nil)
	s = operators.Reduce[int, int](s, nil, nil)
	s = operators.FlatMap[int, int](s, nil)
	s = operators.MapConcurrent[int, int](s, 0, nil, nil)
	s = operators.Rx[int, int](s, nil)
	s = operators.DistinctAdjacent[int, int](s, nil)
	batches := operators.Batch(s, operators.BatchRows(0), operators.BatchBytes(-1), operators.BatchLinger(0), nil)
	last := operators.Batch(batches)
	groups := operators.GroupAdjacent[[][]int, int, int](last, nil, nil, nil)
	_, err := groups.Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range []string{
		"Map: the function is nil", "Filter: the function", "Tap: the function", "Take: n is -1", "Skip: n is -2",
		"TakeWhile: the function", "Scan: the seed function is nil\nthe function is nil", "Reduce: the seed function is nil\nthe function is nil", "FlatMap: the function",
		"MapConcurrent: n is 0", "Rx: the function", "BatchRows is 0", "BatchBytes is -1", "BatchLinger(0s)", "an option is nil",
		"no bound", "DistinctAdjacent: the key function is nil", "key function is nil", "the seed function is nil\nthe fold is nil",
	} {
		require.ErrorContains(t, err, text)
	}
	require.Zero(t, taken)
	_, err = operators.MapConcurrent(in, 1<<30, ctxDouble).Collect(context.Background())
	require.ErrorContains(t, err, "at most")
}

func TestAZeroStreamIsReported(t *testing.T) {
	var zero rxcql.Stream[int]
	for verb, s := range verbs(zero, func(int) error { return nil }) {
		_, err := s.Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrConfig, verb)
	}
	for verb, s := range map[string]anyStream{
		"Lookup":          lookUpCustomer(zero, itself[int], func(n int) (int, error) { return n, nil }),
		"Merge":           operators.Merge(zero, count(1, 1)),
		"Concat":          operators.Concat(count(1, 1), zero),
		"IntervalJoin":    allPairs(count(1, 1), zero, operators.IntervalJoinRows(1)),
		"Retry":           operators.Retry(zero),
		"Recover":         operators.Recover(zero, count(1, 1)),
		"Recover, second": operators.Recover(count(1, 1), zero),
	} {
		_, err := s.Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrConfig, verb)
	}
}
