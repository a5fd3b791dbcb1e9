package rxcql_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func ExampleWithRowErrors() {
	texts := source.Seq(func(yield func(string, error) bool) {
		for _, s := range []string{"1", "two", "3", "four"} {
			if !yield(s, nil) {
				return
			}
		}
	})
	sum := 0
	add := func(n int) error { sum += n; return nil }
	numbers := operators.Map(texts, strconv.Atoi)
	report, err := numbers.ForEach(context.Background(), add, rxcql.WithRowErrors(rxcql.SkipRows(2)))
	fmt.Println(sum, report.Skipped, err)

	_, err = numbers.ForEach(context.Background(), add, rxcql.WithRowErrors(rxcql.SkipRows(1)))
	fmt.Println(err)
	// Output:
	// 4 2 <nil>
	// rxcql: too many rows failed: 2 of 4 rows read, more than SkipRows(1) allows; the last: rxcql: stage Map: range all, page 0, row 3: strconv.Atoi: parsing "four": invalid syntax
}
