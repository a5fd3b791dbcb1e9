package operators_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

// conforming is an operator in one way that it works, as the suite is to know it. Rows are their
// numbers, in lists: what refers to memory of a page is found out.
type conforming struct {
	operator string // the exported function
	how      string
	put      func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow]

	drops     func(n int) bool
	copies    int
	unordered bool
	ends      bool
	detached  bool
}

// numberRow are the numbers of the rows that a row is made of.
type numberRow = []int

func asIs(n numberRow) (numberRow, error) { return n, nil }

func all(int) bool { return true }

func flattened(in rxcql.Stream[[]numberRow]) rxcql.Stream[numberRow] {
	return operators.Map(in, func(rows []numberRow) (numberRow, error) { return slices.Concat(rows...), nil })
}

func inBatches(opts ...operators.BatchOption) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		return flattened(operators.Batch(in, opts...))
	}
}

func noRow() numberRow { return nil }

func join(all, n numberRow) (numberRow, error) { return append(slices.Clip(all), n...), nil }

// inGroups are rows that are together and have the same key.
func inGroups(key func(n numberRow) int) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		groups := operators.GroupAdjacent(in, key, noRow, join)
		return operators.Map(groups, func(g operators.Group[int, numberRow]) (numberRow, error) { return g.Value, nil })
	}
}

func unevenNumbers(ctx context.Context, n numberRow) (numberRow, error) {
	_, err := unevenly(ctx, timed{at: n[0]})
	return n, err
}

// conformings are all operators, each in the ways in which it works differently.
func conformings() []conforming {
	type stream = rxcql.Stream[numberRow]
	return []conforming{
		{operator: "Map", put: func(in stream) stream { return operators.Map(in, asIs) }},
		{operator: "Filter", put: func(in stream) stream { return operators.Filter(in, func(numberRow) bool { return true }) }},
		{operator: "Filter", how: "that drops some", drops: func(n int) bool { return n%3 == 0 }, put: func(in stream) stream {
			return operators.Filter(in, func(n numberRow) bool { return n[0]%3 > 0 })
		}},
		{operator: "Filter", how: "that drops all", drops: all, put: func(in stream) stream {
			return operators.Filter(in, func(numberRow) bool { return false })
		}},
		{operator: "FlatMap", how: "to none", drops: all, put: func(in stream) stream {
			return operators.FlatMap(in, func(numberRow, func(numberRow) bool) error { return nil })
		}},
		{operator: "FlatMap", how: "to more than a page", copies: flow.DefaultPageRows/2 + 1, put: func(in stream) stream {
			return operators.FlatMap(in, func(n numberRow, emit func(numberRow) bool) error {
				for range flow.DefaultPageRows/2 + 1 {
					emit(n)
				}
				return nil
			})
		}},
		{operator: "Scan", put: func(in stream) stream {
			return operators.Scan(in, noRow, func(_, n numberRow) (numberRow, error) { return n, nil })
		}},
		{operator: "Reduce", put: func(in stream) stream { return operators.Reduce(in, noRow, join) }},
		{operator: "Take", how: "of more than there are", put: func(in stream) stream { return operators.Take(in, 1<<40) }},
		{operator: "Take", how: "of a few", ends: true, put: func(in stream) stream { return operators.Take(in, 10) }},
		{operator: "TakeWhile", put: func(in stream) stream { return operators.TakeWhile(in, func(numberRow) bool { return true }) }},
		{operator: "TakeWhile", how: "that ends", ends: true, put: func(in stream) stream {
			return operators.TakeWhile(in, func(n numberRow) bool { return n[0] < 10 })
		}},
		{operator: "Skip", how: "of none", put: func(in stream) stream { return operators.Skip(in, 0) }},
		{operator: "Skip", how: "of all", drops: all, put: func(in stream) stream { return operators.Skip(in, 1<<40) }},
		{operator: "Tap", put: func(in stream) stream { return operators.Tap(in, func(numberRow) error { return nil }) }},
		{operator: "Batch", how: "of one", put: inBatches(operators.BatchRows(1))},
		{operator: "Batch", how: "of three", put: inBatches(operators.BatchRows(3))},
		{operator: "Batch", how: "by bytes", put: inBatches(operators.BatchBytes(1))},
		{operator: "Batch", how: "with Linger", put: inBatches(operators.BatchRows(7), operators.BatchLinger(50*time.Microsecond))},
		{operator: "GroupAdjacent", how: "of one row", put: inGroups(func(n numberRow) int { return n[0] })},
		{operator: "GroupAdjacent", how: "over pages", put: inGroups(func(n numberRow) int { return n[0] / 6 })},
		{operator: "MapConcurrent", put: func(in stream) stream { return operators.MapConcurrent(in, 3, unevenNumbers) }},
		{operator: "MapConcurrent", how: "unordered", unordered: true, put: func(in stream) stream {
			return operators.MapConcurrent(in, 4, unevenNumbers, operators.Unordered())
		}},
		{operator: "Merge", put: func(in stream) stream { return operators.Merge(in) }},
		{operator: "Merge", how: "with another", put: func(in stream) stream {
			other := rxcqltest.NewScript[numberRow]().Name("Other").Page(numberRow{}).Page(numberRow{})
			return operators.Merge(in, other.Stream())
		}},
		{operator: "Throttle", put: func(in stream) stream {
			return operators.Throttle(in, rxcql.NewRate(rxcql.RowsPerSecond(20_000), rxcql.BytesPerSecond(1e9)))
		}},
		{operator: "Throttle", how: "by bytes", put: func(in stream) stream {
			return operators.Throttle(in, rxcql.NewRate(rxcql.BytesPerSecond(1e6), rxcql.RateBurst(time.Millisecond)))
		}},
		{operator: "Buffer", put: func(in stream) stream { return operators.Buffer(in, 7, rxcql.OverflowBlock) }},
		{operator: "Buffer", how: "of one row", put: func(in stream) stream { return operators.Buffer(in, 1, rxcql.OverflowBlock) }},
		{operator: "Buffer", how: "that could drop", put: func(in stream) stream { return operators.Buffer(in, 1<<20, rxcql.OverflowDropOldest) }},
		{operator: "Timeout", put: func(in stream) stream { return operators.Timeout(in, time.Hour) }},
		{operator: "Sample", ends: true, put: func(in stream) stream { return operators.Sample(in, time.Hour) }},
		{operator: "Debounce", ends: true, put: func(in stream) stream { return operators.Debounce(in, time.Hour) }},
		{operator: "Conflate", put: func(in stream) stream { return operators.Conflate(in, noRow, join) }},
		{operator: "Rx", detached: true, put: func(in stream) stream {
			return operators.Rx[numberRow, numberRow](in, func(o rxgo.Observable) rxgo.Observable { return o })
		}},
	}
}

func TestConformanceOfOperators(t *testing.T) {
	for _, c := range conformings() {
		name := c.operator
		if c.how != "" {
			name += " " + c.how
		}
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestOperator(t, func(testing.TB) rxcqltest.OperatorPlace[numberRow, numberRow] {
				return rxcqltest.OperatorPlace[numberRow, numberRow]{
					Operator:  c.put,
					Row:       func(n int) numberRow { return numberRow{n} },
					From:      func(n numberRow) []int { return n },
					Drops:     c.drops,
					Copies:    c.copies,
					Unordered: c.unordered,
					Ends:      c.ends,
					Detached:  c.detached,
				}
			})
		})
	}
}

func TestConformanceIsTriedForEveryOperator(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range conformings() {
		tried[c.operator] = true
	}
	for _, name := range operatorsOf(t) {
		require.True(t, tried[name], "add %s to conformings", name)
	}
}
