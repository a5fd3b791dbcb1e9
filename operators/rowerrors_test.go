package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

var errBad = errors.New("a bad row")

// leaving are the verbs that leave out rows that fail, over rows 0 to n-1 in pages.
func leaving(n, page int, fn func(int) error) map[string]rxcql.Stream[int] {
	in := count(n, page)
	pass := func(n int) (int, error) { return n, fn(n) }
	call := func(_ context.Context, n int) (int, error) { return n, fn(n) }
	return map[string]rxcql.Stream[int]{
		"Map":           operators.Map(in, pass),
		"FlatMap":       operators.FlatMap(in, func(n int, emit func(int) bool) error { emit(n); return fn(n) }),
		"Tap":           operators.Tap(in, fn),
		"MapConcurrent": operators.MapConcurrent(in, 8, call),
		"Unordered":     operators.MapConcurrent(in, 8, call, operators.Unordered()),
		"Lookup":        lookUpCustomer(in, itself[int], pass, operators.LookupInFlight(8)),
	}
}

func TestRowsThatFailAreLeftOutAndNoOthers(t *testing.T) {
	for every := 1; every < 9; every++ { // every place in a block of four, and neighbours
		for rest := range every {
			bad := func(n int) bool { return n%every == rest || n >= 30 && n < 36 }
			var want []int
			for n := range 100 {
				if !bad(n) {
					want = append(want, n)
				}
			}
			for verb, s := range leaving(100, 17, func(n int) error {
				if bad(n) {
					return errBad
				}
				return nil
			}) {
				got, err := s.Collect(context.Background(), rxcql.WithRowErrors(rxcql.SkipRows(100)))
				require.NoError(t, err, verb)
				if verb == "Unordered" {
					slices.Sort(got)
				}
				require.Equal(t, want, got, "%s, %d mod %d", verb, rest, every)
			}
		}
	}
}

func TestADeadLetterHasTheRowItsStageAndItsPlace(t *testing.T) {
	for verb, s := range leaving(100, 17, func(n int) error {
		if n%10 == 3 {
			return errBad
		}
		return nil
	}) {
		letters := &jobtest.Letters{}
		rep, err := s.ForEach(context.Background(), func(int) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		require.EqualValues(t, 10, rep.DeadLettered)
		require.EqualValues(t, 10, rep.Stages[1].DeadLettered)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		rows := map[string]bool{}
		for _, l := range letters.All {
			require.Equal(t, rep.Stages[1].Name, l.Stage, verb)
			require.Equal(t, "int", l.Type)
			require.Equal(t, "all", l.Range)
			require.Equal(t, errBad.Error(), l.Error)
			require.Equal(t, string(l.Row), fmt.Sprint(int(l.Page)*17+l.Index), "%s: the row is at that place", verb)
			rows[string(l.Row)] = true
		}
		require.Len(t, rows, 10, verb)
	}
}

func TestFoldsAndPanicsEndTheRunWhateverThePolicy(t *testing.T) {
	in := count(100, 10)
	fold := func(s, n int) (int, error) { return s + n, map[bool]error{true: errBad}[n == 42] }
	for verb, s := range map[string]anyStream{
		"Scan":          operators.Scan(in, zero, fold),
		"Reduce":        operators.Reduce(in, zero, fold),
		"GroupAdjacent": operators.GroupAdjacent(in, func(n int) int { return n / 10 }, zero, fold),
		"GroupBy":       operators.GroupBy(in, func(n int) int { return n % 10 }, zero, fold, operators.GroupByGroups(10)),
	} {
		_, err := s.Count(context.Background(), rxcql.WithRowErrors(rxcql.SkipRows(1000)))
		require.ErrorIs(t, err, errBad, verb)
		failedIn(t, verb, err)
	}
	for verb, s := range leaving(100, 10, func(n int) error {
		if n == 42 {
			panic(errBad)
		}
		return nil
	}) {
		letters := &jobtest.Letters{}
		_, err := s.Count(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.ErrorIs(t, err, rxcql.ErrPanic, verb)
		require.Empty(t, letters.All)
	}
}

func TestWhatFlatMapEmitsForARowThatFailsDoesNotGoOn(t *testing.T) {
	// Rows of 1 to 300 rows each, so that full pages end in the middle of them.
	s := operators.FlatMap(count(200, 50), func(n int, emit func(int) bool) error {
		for range n*37%300 + 1 {
			emit(n)
		}
		if n%3 == 0 {
			return errBad
		}
		return nil
	})
	sink := &gather[int]{}
	p, err := rxcql.New(s, sink, rxcql.WithRowErrors(rxcql.SkipRows(100)))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 67, rep.Skipped)
	var want []int
	for n := range 200 {
		if n%3 != 0 {
			want = append(want, slices.Repeat([]int{n}, n*37%300+1)...)
		}
	}
	require.Equal(t, want, sink.rows())
	for _, page := range sink.pages {
		require.LessOrEqual(t, len(page.Rows), 512)
	}
}

func TestALimitDownstreamIsReachedAlthoughRowsFail(t *testing.T) {
	for verb, s := range leaving(1000, 10, func(n int) error {
		if n%2 == 0 {
			return errBad
		}
		return nil
	}) {
		got, err := operators.Take(s, 100).Collect(context.Background(), rxcql.WithRowErrors(rxcql.SkipRows(1000)))
		require.NoError(t, err, verb)
		require.Len(t, got, 100, verb)
	}
}

func TestMoreRowsThanTheMaximumEndEveryVerb(t *testing.T) {
	for verb, s := range leaving(100, 10, func(n int) error {
		if n%10 == 0 {
			return errBad
		}
		return nil
	}) {
		var seen atomic.Int64
		_, err := s.ForEach(context.Background(), func(int) error { seen.Add(1); return nil }, rxcql.WithRowErrors(rxcql.SkipRows(4)))
		require.ErrorIs(t, err, rxcql.ErrSkipLimit, verb)
		require.ErrorIs(t, err, errBad, verb)
		require.ErrorContains(t, err, "SkipRows(4)")
		failedIn(t, verb, err)
		require.Less(t, seen.Load(), int64(90))
	}
}
