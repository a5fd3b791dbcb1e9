package operators_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// Each account is worked on in its order, and the accounts on all cores.
func ExampleLanes() {
	type posting struct {
		account string
		cents   int
	}
	postings := from(posting{"a", 100}, posting{"b", 70}, posting{"a", -30}, posting{"b", 5}, posting{"a", 2})
	balances := operators.Lanes(postings, 2,
		func(p posting) string { return p.account },
		func(in rxcql.Stream[posting]) rxcql.Stream[string] {
			sums := map[string]int{} // of the accounts in this lane
			return operators.Map(in, func(p posting) (string, error) {
				sums[p.account] += p.cents
				return fmt.Sprint(p.account, " ", sums[p.account]), nil
			})
		})
	var ofA []string
	report, err := balances.ForEach(context.Background(), func(line string) error {
		if strings.HasPrefix(line, "a") {
			ofA = append(ofA, line)
		}
		return nil
	})
	fmt.Println(ofA, report.ReadRows, err)
	// Output:
	// [a 100 a 70 a 72] 5 <nil>
}
