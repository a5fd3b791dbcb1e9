package operators_test

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql/operators"
)

// The running total of each account: the state has the totals of all accounts, and next to them
// what goes on for this row. Map takes that alone, since the map is changed by later rows.
func ExampleScan_keys() {
	type posting struct {
		account string
		cents   int
	}
	type balances struct {
		of  map[string]int
		now posting // the account of this row, with its total
	}
	postings := from(posting{"a", 100}, posting{"b", 70}, posting{"a", -30}, posting{"b", 5}, posting{"a", 2})
	states := operators.Scan(postings,
		func() balances { return balances{of: map[string]int{}} },
		func(b balances, p posting) (balances, error) {
			b.of[p.account] += p.cents
			b.now = posting{p.account, b.of[p.account]}
			return b, nil
		})
	running := operators.Map(states, func(b balances) (posting, error) { return b.now, nil })
	rows, err := running.Collect(context.Background())
	fmt.Println(rows, err)
	// Output:
	// [{a 100} {b 70} {a 70} {b 75} {a 72}] <nil>
}
