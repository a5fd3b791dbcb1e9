package rxcqltest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

// What a pipeline does when its source fails behind the first page, and once only.
func ExampleScript() {
	script := rxcqltest.NewScript[int]().Page(1, 2, 3).FailOnce(errors.New("lost")).Page(4)
	doubled := operators.Map(script.Stream(), func(n int) (int, error) { return 2 * n, nil })
	for range 2 {
		rows, err := doubled.Collect(context.Background())
		fmt.Println(rows, err)
	}
	// Output:
	// [2 4 6] rxcql: stage Script: lost
	// [2 4 6 8] <nil>
}
