package operators_test

import (
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// growByIntervalJoin joins with numbers up to k that are at most 3 away and equal by their rest of
// 3. A number is the moment of so many seconds. No source says how far event time is, so all are
// kept to the end.
func (c *chain) growByIntervalJoin(k int, fail func() error) {
	before := c.last()
	c.stage("IntervalJoin", before, c.stage("Seq"))
	c.then("Map")
	rest := func(n int) int { return n % 3 }
	pairs := operators.IntervalJoin(c.s, count(k, 3), second, second, rest, rest, -3*time.Second, 3*time.Second, operators.IntervalJoinRows(1<<40))
	c.s = operators.Map(pairs, func(p rxcql.Pair[int, int]) (int, error) { return p.Left + p.Right, fail() })
	c.model = each(c.model, func(n int) (sums []int) {
		for _, other := range upTo(k) {
			if d := other - n; d >= -3 && d <= 3 && rest(n) == rest(other) {
				sums = append(sums, n+other)
			}
		}
		return sums
	})
	c.ordered = false
	c.budget += rxcql.MinBudgetPerInput
}
