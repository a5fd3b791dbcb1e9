package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// The service that prices are asked of is down for a moment. The pen had been handed on before, so
// it comes again: write such rows by their key.
func ExampleRetry() {
	errDown := errors.New("the service is down")
	calls := 0
	articles := source.Seq(func(yield func(string, error) bool) {
		_ = yield("pen", nil) && yield("ink", nil)
	}, source.PageRows(1))
	prices := operators.Map(articles, func(article string) (string, error) {
		if calls++; calls == 2 {
			return "", errDown
		}
		return article + ": 3 euros", nil
	})
	again := operators.Retry(prices,
		operators.RetryIf(func(err error) bool { return errors.Is(err, errDown) }), // default: rxcql.MayPass
		operators.RetryDelay(time.Millisecond, time.Second),
		operators.RetryAttempts(3),
		operators.RetryWindow(time.Minute))
	report, err := again.ForEach(context.Background(), func(price string) error {
		fmt.Println(price)
		return nil
	})
	fmt.Println(report.Complete, report.Retried, err)
	// Output:
	// pen: 3 euros
	// pen: 3 euros
	// ink: 3 euros
	// true 1 <nil>
}

// A cache is read as far as it goes. When it breaks the table follows, from its beginning.
func ExampleRecover() {
	errBroken := errors.New("the cache is broken")
	cache := operators.Map(from(1, 2, 3), func(n int) (int, error) {
		if n == 1 {
			return 0, errBroken
		}
		return n, nil
	})
	table := from(10, 20, 30)
	rows := operators.Recover(cache, table, operators.RecoverIf(func(err error) bool { return errors.Is(err, errBroken) }))
	report, err := rows.ForEach(context.Background(), func(n int) error {
		fmt.Println(n)
		return nil
	})
	fmt.Println(report.Complete, report.EndedBy, err)
	// Output:
	// 10
	// 20
	// 30
	// false Recover <nil>
}
