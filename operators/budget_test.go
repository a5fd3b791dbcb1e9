package operators_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// mixed is a stream of texts of 1 byte to 12 KiB.
func mixed(n int) rxcql.Stream[string] {
	return source.Seq(func(yield func(string, error) bool) {
		for i := range n {
			if !yield(strings.Repeat("x", 1+i*7919%(12<<10)), nil) {
				return
			}
		}
	})
}

func TestNoOperatorThatHoldsRowsStallsAtTheSmallestBudget(t *testing.T) {
	const rows = 2000
	call := func(_ context.Context, text string) (string, error) { return text, nil }
	length := func(text string) int { return len(text) / 3000 }
	sum := func(s int, text string) (int, error) { return s + len(text), nil }
	inputs := map[string]int64{"Merge": 2, "Concat": 3}
	for name, s := range map[string]anyStream{
		"Batch by count":     operators.Batch(mixed(rows), operators.BatchRows(2)),
		"Batch by bytes":     operators.Batch(mixed(rows), operators.BatchBytes(20<<10)),
		"Batch too large":    operators.Batch(mixed(rows), operators.BatchRows(1<<20), operators.BatchLinger(time.Millisecond)),
		"MapConcurrent":      operators.MapConcurrent(mixed(rows), 64, call),
		"Unordered":          operators.MapConcurrent(mixed(rows), 64, call, operators.Unordered()),
		"MapConcurrent wide": operators.MapConcurrent(mixed(rows), 10_000, call),
		"GroupAdjacent":      operators.GroupAdjacent(mixed(rows), length, zero, sum),
		"Reduce":             operators.Reduce(mixed(rows), zero, sum),
		"GroupBy":            operators.GroupBy(mixed(rows), length, zero, sum, operators.GroupByGroups(10)),
		"Lanes":              operators.Lanes(mixed(rows), 4, length, sameTexts),
		"Lanes and Batch": operators.Lanes(mixed(rows), 4, itself[string], func(in rxcql.Stream[string]) rxcql.Stream[[]string] {
			return operators.Batch(operators.MapConcurrent(in, 16, call), operators.BatchBytes(4<<10))
		}),
		"Batch behind Lanes":      operators.Batch(operators.Lanes(mixed(rows), 3, itself[string], sameTexts), operators.BatchBytes(16<<10)),
		"Throttle":                operators.Throttle(mixed(rows), rxcql.NewRate(rxcql.BytesPerSecond(1e9))),
		"Buffer":                  operators.Buffer(mixed(rows), 100, rxcql.OverflowBlock),
		"Buffer thrice":           operators.Buffer(operators.Buffer(operators.Buffer(mixed(rows), 100, rxcql.OverflowBlock), 100, rxcql.OverflowDropOldest), 100, rxcql.OverflowBlock),
		"Buffer and Batch":        operators.Batch(operators.Buffer(mixed(rows), 100, rxcql.OverflowBlock), operators.BatchBytes(16<<10)),
		"Timeout":                 operators.Timeout(mixed(rows), time.Hour),
		"Sample":                  operators.Sample(mixed(rows), time.Microsecond),
		"Debounce":                operators.Debounce(mixed(rows), time.Microsecond),
		"Conflate":                operators.Conflate(mixed(rows), zero, sum),
		"MapConcurrent and Batch": operators.Batch(operators.MapConcurrent(mixed(rows), 64, call), operators.BatchBytes(16<<10)),
		"MapConcurrent twice":     operators.MapConcurrent(operators.MapConcurrent(mixed(rows), 64, call, operators.Unordered()), 64, call),
		"Concat": operators.Batch(operators.Concat(mixed(rows), operators.MapConcurrent(mixed(rows), 64, call), mixed(rows)),
			operators.BatchBytes(60<<10)),
		"Merge": operators.Merge(operators.Batch(mixed(rows), operators.BatchBytes(20<<10)),
			operators.Batch(operators.MapConcurrent(mixed(rows), 64, call), operators.BatchBytes(20<<10))),
	} {
		budget := rxcql.MinBudgetPerInput * max(1, inputs[name])
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		_, err := s.Count(ctx, rxcql.WithBudget(budget))
		require.NoError(t, err, name)
		cancel()
	}
}

func sameTexts(in rxcql.Stream[string]) rxcql.Stream[string] {
	return operators.Map(in, func(text string) (string, error) { return text, nil })
}

func TestABatchThatTheBudgetHasNoRoomForNamesTheStage(t *testing.T) {
	call := func(_ context.Context, text string) (string, error) { return text, nil }
	for name, in := range map[string]rxcql.Stream[string]{
		"source":    mixed(5000),
		"ordered":   operators.MapConcurrent(mixed(5000), 64, call),
		"unordered": operators.MapConcurrent(mixed(5000), 64, call, operators.Unordered()),
	} {
		_, err := operators.Batch(in, operators.BatchRows(1000)).Count(context.Background(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		require.ErrorIs(t, err, rxcql.ErrBudgetHeld, name)
		var held *flow.BudgetHeldError
		require.ErrorAs(t, err, &held, name)
		require.Equal(t, "Batch", held.Stage, name)
	}
}

func TestRowsHeldAreChargedAndGivenBack(t *testing.T) {
	s := operators.Batch(mixed(1000), operators.BatchRows(100))
	rep, err := s.ForEach(context.Background(), func([]string) error { return nil })
	require.NoError(t, err)
	require.Greater(t, rep.PeakBytes, int64(300<<10), "a batch is held")
	require.Less(t, rep.PeakBytes, int64(4<<20))
	require.Zero(t, rep.BytesInFlight)
}

func TestMemoryOfARowSliceIsNotKeptWhileTheNextPageIsAwaited(t *testing.T) {
	// What Map hands on is cleared after the call: an observer that broke the
	// rule and kept the slice finds nothing in it.
	var kept [][]*int
	info := rxcql.StageInfo{Name: "Keep"}
	s := rxcql.Lift(operators.Map(count(10, 5), func(n int) (*int, error) { return &n, nil }), info,
		func(_ *rxcql.Stage, out flow.Observer[*int]) flow.Observer[*int] {
			return keeping[*int]{out, func(rows []*int) { kept = append(kept, rows) }}
		})
	require.Len(t, collect(t, s), 10)
	for _, rows := range kept {
		for _, row := range rows {
			require.Nil(t, row)
		}
	}
}

type keeping[T any] struct {
	flow.Observer[T]
	keep func([]T)
}

func (k keeping[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	k.keep(p.Rows)
	return k.Observer.Next(ctx, p)
}
