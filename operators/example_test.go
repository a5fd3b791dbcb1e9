package operators_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"
	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// from is a stream of the values given; from a table it would be source.Table.
func from[T any](values ...T) rxcql.Stream[T] {
	return source.Seq(func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	})
}

// show prints the rows of a stream.
func show[T any](s rxcql.Stream[T]) {
	rows, err := s.Collect(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rows)
}

func ExampleMap() {
	show(operators.Map(from("1", "2", "3"), strconv.Atoi))
	show(operators.Map(from("1", "two"), strconv.Atoi))
	// Output:
	// [1 2 3]
	// rxcql: stage Map: range all, page 0, row 1: strconv.Atoi: parsing "two": invalid syntax
}

func ExampleFilter() {
	show(operators.Filter(from(1, 2, 3, 4), func(n int) bool { return n%2 == 0 }))
	// Output: [2 4]
}

func ExampleFlatMap() {
	show(operators.FlatMap(from("to be", "or not"), func(line string, emit func(string) bool) error {
		strings.FieldsSeq(line)(emit)
		return nil
	}))
	// Output: [to be or not]
}

func ExampleScan() {
	show(operators.Scan(from(1, 2, 3, 4), func() int { return 0 }, func(sum, n int) (int, error) { return sum + n, nil }))
	// Output: [1 3 6 10]
}

func ExampleReduce() {
	show(operators.Reduce(from(1, 2, 3, 4), func() int { return 0 }, func(sum, n int) (int, error) { return sum + n, nil }))
	// Output: [10]
}

func ExampleTake() {
	show(operators.Take(from(1, 2, 3, 4), 2))
	// Output: [1 2]
}

func ExampleTakeWhile() {
	show(operators.TakeWhile(from(1, 2, 3, 2, 1), func(n int) bool { return n < 3 }))
	// Output: [1 2]
}

func ExampleSkip() {
	show(operators.Skip(from(1, 2, 3, 4), 2))
	// Output: [3 4]
}

func ExampleTap() {
	rows := 0
	show(operators.Tap(from("a", "b"), func(string) error { rows++; return nil }))
	fmt.Println(rows, "rows")
	// Output:
	// [a b]
	// 2 rows
}

func ExampleBatch() {
	show(operators.Batch(from(1, 2, 3, 4, 5), operators.BatchRows(2)))
	// Output: [[1 2] [3 4] [5]]
}

func ExampleBatchBytes() {
	// By size, and no larger than 500 rows.
	batches := operators.Batch(from("a", "b", "c"), operators.BatchBytes(64<<10), operators.BatchRows(500))
	show(batches)
	// Output: [[a b c]]
}

func ExampleBatchLinger() {
	// A batch waits for its third row no longer than 10 ms.
	events := make(chan int, 2)
	events <- 1
	events <- 2
	batches := operators.Batch(source.Chan(events), operators.BatchRows(3), operators.BatchLinger(10*time.Millisecond))
	show(operators.Take(batches, 1))
	// Output: [[1 2]]
}

func ExampleGroupAdjacent() {
	type reading struct {
		sensor string
		value  float64
	}
	readings := from(reading{"a", 1}, reading{"a", 3}, reading{"b", 5})
	sums := operators.GroupAdjacent(readings,
		func(r reading) string { return r.sensor },
		func() float64 { return 0 },
		func(sum float64, r reading) (float64, error) { return sum + r.value, nil })
	show(operators.Map(sums, func(g operators.Group[string, float64]) (string, error) {
		return fmt.Sprintf("%s: mean %g of %d", g.Key, g.Value/float64(g.Rows), g.Rows), nil
	}))
	// Output: [a: mean 2 of 2 b: mean 5 of 1]
}

func ExampleMapConcurrent() {
	// Eight look-ups at once; results come in the order of the rows.
	show(operators.MapConcurrent(from("c", "a", "b"), 8, func(_ context.Context, id string) (string, error) {
		return strings.ToUpper(id), nil
	}))
	// Output: [C A B]
}

// A look-up is asked for again where it failed in a way that may pass, as often and as
// long as rxcql.WithRetry says.
func ExampleMapConcurrent_retry() {
	asked := 0
	lookUp := func(context.Context, string) (string, error) { // such as session.Query(...).WithContext(ctx).Scan(&name)
		if asked++; asked == 1 {
			return "", gocql.ErrTimeoutNoResponse
		}
		return "San Francisco", nil
	}
	show(operators.MapConcurrent(from("SFO"), 64, func(ctx context.Context, code string) (name string, err error) {
		err = rxcql.Retry(ctx, rxcql.MayPass, func() (err error) {
			name, err = lookUp(ctx, code)
			return err
		})
		return name, err
	}))
	// Output: [San Francisco]
}

func ExampleUnordered() {
	n, err := operators.MapConcurrent(from(1, 2, 3), 8, func(_ context.Context, n int) (int, error) {
		return n * n, nil
	}, operators.Unordered()).Count(context.Background())
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleMerge() {
	n, err := operators.Merge(from(1, 2), from(3, 4, 5)).Count(context.Background())
	fmt.Println(n, err)
	// Output: 5 <nil>
}

func ExampleDistinctAdjacent() {
	states := from("on", "on", "off", "off", "off", "on")
	show(operators.DistinctAdjacent(states, func(state string) string { return state }))
	// Output: [on off on]
}

func ExampleDistinct() {
	words := from("to", "be", "or", "not", "to", "be")
	show(operators.Distinct(words, strings.ToUpper, operators.DistinctKeys(1000)))
	_, err := operators.Distinct(words, strings.ToUpper, operators.DistinctKeys(3)).Count(context.Background())
	fmt.Println(errors.Is(err, operators.ErrDistinctFull))
	// Output:
	// [to be or not]
	// true
}

func ExampleForgetOldest() {
	forgot := 0
	words := from("to", "be", "or", "not", "to", "be")
	show(operators.Distinct(words, strings.ToUpper, operators.DistinctKeys(3), operators.ForgetOldest(func(keys int) { forgot += keys })))
	fmt.Println(forgot, "forgotten")
	// Output:
	// [to be or not to be]
	// 3 forgotten
}

func ExampleConcat() {
	show(operators.Concat(from(1, 2), from(3), from(1)))
	// Output: [1 2 3 1]
}

func ExampleRx() {
	show(operators.Rx[string, string](from("a", "b", "a"), func(words rxgo.Observable) rxgo.Observable {
		return words.Distinct(func(_ context.Context, word any) (any, error) { return word, nil })
	}))
	// Output: [a b]
}
