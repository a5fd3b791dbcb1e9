package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func ExampleThrottle() {
	start := time.Now()
	limit := rxcql.NewRate(rxcql.RowsPerSecond(50))
	show(operators.Throttle(from(1, 2, 3), limit))
	fmt.Println("at once:", time.Since(start) < 39*time.Millisecond)

	err := limit.SetRowsPerSecond(rxcql.Unlimited) // also while it runs
	fmt.Println(err)
	show(operators.Throttle(from(1, 2, 3), limit))
	// Output:
	// [1 2 3]
	// at once: false
	// <nil>
	// [1 2 3]
}

func ExampleBuffer() {
	page := from(1, 2, 3, 4, 5)
	show(operators.Buffer(page, 2, rxcql.OverflowBlock))
	show(operators.Buffer(page, 2, rxcql.OverflowDropOldest))
	show(operators.Buffer(page, 2, rxcql.OverflowDropNewest))
	show(operators.Buffer(page, 2, rxcql.OverflowLatest))
	show(operators.Buffer(page, 2, rxcql.OverflowFail))
	// Output:
	// [1 2 3 4 5]
	// [4 5]
	// [1 2]
	// [5]
	// rxcql: stage Buffer: rxcql: buffer has no room for another row: 2 rows of 16 bytes wait; give Buffer more, or a policy that drops rows
}

func ExampleTimeout() {
	silent := make(chan int)
	_, err := operators.Timeout(source.Chan(silent), 10*time.Millisecond).Collect(context.Background())
	fmt.Println(err)
	// Output: rxcql: stage Timeout: rxcql: no row has come in time: none for 10ms
}

func ExampleSample() {
	show(operators.Sample(from(1, 2, 3), time.Minute)) // and the newest one at the end
	// Output: [3]
}

func ExampleDebounce() {
	ch := make(chan string)
	go func() {
		defer close(ch)
		for _, typed := range []string{"r", "ro", "roof"} {
			ch <- typed
		}
	}()
	show(operators.Debounce(source.Chan(ch), time.Minute))
	// Output: [roof]
}

func ExampleConflate() {
	prices := from("a=1", "b=2", "a=3")
	show(operators.Conflate(prices,
		func() map[string]string { return map[string]string{} },
		func(last map[string]string, price string) (map[string]string, error) {
			last[price[:1]] = price[2:]
			return last, nil
		}))
	// Output: [map[a:3 b:2]]
}
