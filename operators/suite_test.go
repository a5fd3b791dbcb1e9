package operators_test

import (
	"cmp"
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
	"github.com/rxcql/rxcql/source"
)

// windowedBy are the rows in each window, of three keys. The suite takes the times of rows for
// those of results, and results of windows that are longer than a second would come behind
// watermarks, but for an AllowedLateness that holds these back.
func windowedBy(windows operators.Windows, opts ...operators.WindowOption) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		key := func(n numberRow) int { return rowNumber(n) % 3 }
		results := operators.Window(in, windows, numberAt, key, noRow, join, append(opts, operators.WindowKeys(1000))...)
		return operators.Map(results, func(r operators.WindowResult[int, numberRow]) (numberRow, error) { return r.Value, nil })
	}
}

// adjacentBy are the rows in each window that come together.
func adjacentBy(windows operators.Windows) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		results := operators.WindowAdjacent(in, windows, numberAt, func(numberRow) int { return 0 }, noRow, join)
		return operators.Map(results, func(r operators.WindowResult[int, numberRow]) (numberRow, error) { return r.Value, nil })
	}
}

func unevenNumbers(ctx context.Context, n numberRow) (numberRow, error) {
	_, err := unevenly(ctx, timed{at: n[0]})
	return n, err
}

// noNumbers is a stream of rows that no row in is behind.
func noNumbers() rxcql.Stream[numberRow] {
	return rxcqltest.NewScript[numberRow]().Name("Other").Page(numberRow{}).Page(numberRow{}).Stream()
}

func inAnyOrder(_, _ numberRow) int { return 0 }

// aRow is a stream of a row that no row in is behind.
func aRow(name string) rxcql.Stream[numberRow] {
	return rxcqltest.NewScript[numberRow]().Name(name).Page(numberRow{}).Stream()
}

// inDays joins all rows that are at most a hundred days apart.
func inDays(left, right rxcql.Stream[numberRow]) rxcql.Stream[rxcql.Pair[numberRow, numberRow]] {
	return operators.IntervalJoin(left, right, numberAt, numberAt, side(0), side(0), -2400*time.Hour, 2400*time.Hour, operators.IntervalJoinRows(1<<20))
}

// side is a key that all rows of a side have.
func side(key int) func(numberRow) int { return func(numberRow) int { return key } }

// onEitherSide are the numbers on both sides.
func onEitherSide(in rxcql.Stream[rxcql.Pair[numberRow, numberRow]]) rxcql.Stream[numberRow] {
	return operators.Map(in, func(p rxcql.Pair[numberRow, numberRow]) (numberRow, error) {
		return slices.Concat(p.Left, p.Right), nil
	})
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
		{operator: "Reduce", folds: true, put: func(in stream) stream { return operators.Reduce(in, noRow, join) }},
		{operator: "Take", how: "of more than there are", put: func(in stream) stream { return operators.Take(in, 1<<40) }},
		{operator: "Take", how: "of a few", ends: true, put: func(in stream) stream { return operators.Take(in, 10) }},
		{operator: "TakeWhile", put: func(in stream) stream { return operators.TakeWhile(in, func(numberRow) bool { return true }) }},
		{operator: "TakeWhile", how: "that ends", ends: true, put: func(in stream) stream {
			return operators.TakeWhile(in, func(n numberRow) bool { return n[0] < 10 })
		}},
		{operator: "Skip", how: "of none", put: func(in stream) stream { return operators.Skip(in, 0) }},
		{operator: "Skip", how: "of all", drops: all, put: func(in stream) stream { return operators.Skip(in, 1<<40) }},
		{operator: "EventTime", sets: true, put: func(in stream) stream {
			return operators.EventTime(in, func(n numberRow) (time.Time, error) { return time.Unix(int64(n[0]), 0), nil })
		}},
		{operator: "Tap", put: func(in stream) stream { return operators.Tap(in, func(numberRow) error { return nil }) }},
		{operator: "Batch", how: "of one", put: inBatches(operators.BatchRows(1))},
		{operator: "Batch", how: "of three", put: inBatches(operators.BatchRows(3))},
		{operator: "Batch", how: "by bytes", put: inBatches(operators.BatchBytes(1))},
		{operator: "Batch", how: "with Linger", put: inBatches(operators.BatchRows(7), operators.BatchLinger(50*time.Microsecond))},
		{operator: "GroupAdjacent", how: "of one row", folds: true, put: inGroups(func(n numberRow) int { return n[0] })},
		{operator: "GroupAdjacent", how: "over pages", folds: true, put: inGroups(func(n numberRow) int { return n[0] / 6 })},
		{operator: "MapConcurrent", put: func(in stream) stream { return operators.MapConcurrent(in, 3, unevenNumbers) }},
		{operator: "MapConcurrent", how: "unordered", unordered: true, put: func(in stream) stream {
			return operators.MapConcurrent(in, 4, unevenNumbers, operators.Unordered())
		}},
		{operator: "Lookup", put: func(in stream) stream { return lookUpCustomer(in, rowNumber, asIs, operators.LookupInFlight(3)) }},
		{operator: "Lookup", how: "unordered, with a cache", unordered: true, put: func(in stream) stream {
			return lookUpCustomer(in, rowNumber, asIs, operators.LookupInFlight(4), operators.LookupCache(1<<20, time.Hour), operators.Unordered())
		}},
		{operator: "Merge", put: func(in stream) stream { return operators.Merge(in) }},
		{operator: "Merge", how: "with another", put: func(in stream) stream {
			other := rxcqltest.NewScript[numberRow]().Name("Other").Page(numberRow{}).Page(numberRow{})
			return operators.Merge(in, other.Stream())
		}},
		{operator: "Concat", put: func(in stream) stream { return operators.Concat(in) }},
		{operator: "Concat", how: "behind another", put: func(in stream) stream {
			other := rxcqltest.NewScript[numberRow]().Name("Other").Page(numberRow{}).Page(numberRow{})
			return operators.Concat(other.Stream(), in)
		}},
		{operator: "Distinct", put: func(in stream) stream {
			return operators.Distinct(in, rowNumber, operators.DistinctKeys(1<<20))
		}},
		{operator: "DistinctAdjacent", put: func(in stream) stream { return operators.DistinctAdjacent(in, rowNumber) }},
		{operator: "Concat", how: "with another", put: func(in stream) stream { return operators.Concat(in, noNumbers()) }},
		{operator: "Zip", how: "with an endless one", ends: true, put: func(in stream) stream {
			endless := source.Seq(numbers(1<<40, nil))
			return operators.Zip(in, endless, func(n numberRow, _ int) (numberRow, error) { return n, nil })
		}},
		{operator: "MergeSorted", put: func(in stream) stream { return operators.MergeSorted(inAnyOrder, in) }},
		{operator: "MergeSorted", how: "with another", put: func(in stream) stream { return operators.MergeSorted(inAnyOrder, in, noNumbers()) }},
		{operator: "MergeSorted", how: "behind another", put: func(in stream) stream { return operators.MergeSorted(inAnyOrder, noNumbers(), in) }},
		{operator: "MergeJoin", how: "without partners", put: func(in stream) stream {
			return onEitherSide(operators.MergeJoin(in, noNumbers(), side(0), side(1), cmp.Compare[int]))
		}},
		{operator: "MergeJoin", how: "of equal keys", put: func(in stream) stream {
			one := rxcqltest.NewScript[numberRow]().Name("Other").Page(numberRow{})
			return onEitherSide(operators.MergeJoin(in, one.Stream(), side(0), side(0), cmp.Compare[int]))
		}},
		{operator: "MergeJoin", how: "of equal keys, on the right", put: func(in stream) stream {
			one := rxcqltest.NewScript[numberRow]().Name("Other").Page(numberRow{})
			return onEitherSide(operators.MergeJoin(one.Stream(), in, side(0), side(0), cmp.Compare[int]))
		}},
		{operator: "IntervalJoin", how: "with a row on the right", unordered: true, put: func(in stream) stream {
			return onEitherSide(inDays(in, aRow("Other")))
		}},
		{operator: "IntervalJoin", how: "with a row on the left", unordered: true, put: func(in stream) stream {
			return onEitherSide(inDays(aRow("Other"), in))
		}},
		{operator: "IntervalJoin", how: "without partners", drops: all, put: func(in stream) stream {
			return onEitherSide(operators.IntervalJoin(in, aRow("Other"), numberAt, numberAt, side(0), side(1), 0, time.Second, operators.IntervalJoinRows(1<<20)))
		}},
		{operator: "Lanes", unordered: true, put: func(in stream) stream { return operators.Lanes(in, 3, rowNumber, inTurn) }},
		{operator: "Lanes", how: "alone", put: func(in stream) stream { return operators.Lanes(in, 1, rowNumber, inTurn) }},
		{operator: "Lanes", how: "with calls at once", unordered: true, put: func(in stream) stream {
			return operators.Lanes(in, 2, rowNumber, func(in stream) stream { return operators.MapConcurrent(in, 3, unevenNumbers) })
		}},
		{operator: "Lanes", how: "in lanes that drop some", unordered: true, drops: func(n int) bool { return n%3 == 0 }, put: func(in stream) stream {
			return operators.Lanes(in, 2, rowNumber, func(in stream) stream {
				return operators.Lanes(in, 2, func(n numberRow) int { return n[0] / 2 }, func(in stream) stream {
					return operators.Filter(in, func(n numberRow) bool { return n[0]%3 > 0 })
				})
			})
		}},
		{operator: "Lanes", how: "that hold rows", unordered: true, put: func(in stream) stream {
			return operators.Lanes(in, 3, rowNumber, inBatches(operators.BatchRows(4)))
		}},
		{operator: "Lanes", how: "that end", unordered: true, ends: true, put: func(in stream) stream {
			return operators.Lanes(in, 3, rowNumber, func(in stream) stream { return operators.Take(in, 3) })
		}},
		{operator: "GroupBy", how: "of one row", unordered: true, put: groupedBy(rowNumber)},
		{operator: "GroupBy", how: "over parts", unordered: true, put: groupedBy(func(n numberRow) int { return n[0] % 7 })},
		{operator: "Window", put: windowedBy(operators.Tumbling(time.Second))},
		{operator: "Window", how: "of all rows", unordered: true, put: windowedBy(operators.Tumbling(time.Hour), operators.AllowedLateness(time.Hour))},
		{operator: "Window", how: "of sessions", put: windowedBy(operators.Session(time.Second), operators.MergeStates(join))},
		{operator: "Window", how: "of one session", unordered: true, put: windowedBy(operators.Session(time.Hour), operators.MergeStates(join),
			operators.AllowedLateness(time.Hour))},
		{operator: "Window", how: "that keeps late rows", put: windowedBy(operators.Tumbling(time.Second), operators.AllowedLateness(5*time.Second))},
		{operator: "WindowWithLate", put: func(in stream) stream {
			out := operators.WindowWithLate(in, operators.Tumbling(time.Second), numberAt, rowNumber, noRow, join, operators.WindowKeys(1000))
			return operators.Map(out, func(o operators.WindowOrLate[numberRow, int, numberRow]) (numberRow, error) {
				if o.IsLate {
					return o.Row, nil
				}
				return o.Window.Value, nil
			})
		}},
		{operator: "WindowAdjacent", folds: true, put: adjacentBy(operators.Tumbling(4 * time.Second))},
		{operator: "WindowAdjacent", how: "of one window", folds: true, put: adjacentBy(operators.Tumbling(time.Hour))},
		{operator: "WindowAdjacent", how: "of sessions", folds: true, put: adjacentBy(operators.Session(2 * time.Second))},
		{operator: "Retry", put: func(in stream) stream { return operators.Retry(in) }},
		{operator: "Retry", how: "of one that fails at first", put: func(in stream) stream {
			return operators.Retry(failsFirst(in), atOnce()...)
		}},
		{operator: "Recover", put: func(in stream) stream {
			other := rxcqltest.NewScript[numberRow]().Name("Other")
			return operators.Recover(in, other.Stream(), operators.RecoverIf(func(error) bool { return false }))
		}},
		{operator: "Recover", how: "from one that has failed", put: func(in stream) stream {
			return operators.Recover(rxcqltest.NewScript[numberRow]().Name("Broken").Fail(errStays).Stream(), in)
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
		{operator: "Conflate", folds: true, put: func(in stream) stream { return operators.Conflate(in, noRow, join) }},
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
					Folds:     c.folds,
					Detached:  c.detached,

					SetsWatermarks: c.sets,
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
