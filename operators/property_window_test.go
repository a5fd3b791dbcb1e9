package operators_test

import (
	"cmp"
	"slices"
	"time"

	"github.com/rxcql/rxcql/operators"
)

// keepsParts are the stages that hand on pages of one part each, which EventTime needs.
var keepsParts = []string{
	"Seq", "Map", "Filter", "FlatMap", "Scan", "Take", "TakeWhile", "Skip", "Tap", "Distinct", "DistinctAdjacent",
	"Merge", "Concat", "Retry", "Fails first", "Recover", "Script", "Throttle", "Timeout", "Rx", "EventTime",
}

// growByWindows adds windows of k+1 seconds, in which a number is the moment of so many seconds.
// Event time stays behind all rows, so they close at the end.
func (c *chain) growByWindows(verb string, k int, fail func() error) {
	if verb == "EventTime" {
		if slices.ContainsFunc(c.names, func(name string) bool { return !hasVerb(name, keepsParts...) }) {
			return
		}
		c.then("EventTime")
		const centuries = 250 * 365 * 24 * time.Hour
		c.s = operators.EventTime(c.s, func(n int) (time.Time, error) { return second(n), fail() },
			operators.OutOfOrderness(centuries), operators.IdleAfter(time.Hour))
		return
	}
	size := k + 1
	start := func(n int) int { return n - (n%size+size)%size }
	fold := func(s, n int) (int, error) { return s + n, fail() }
	windows := operators.Tumbling(time.Duration(size) * time.Second)
	sum := func(r operators.WindowResult[int, int]) (int, error) { return r.Value, nil }
	if verb == "Window" {
		key := func(n int) int { return n & 3 }
		c.then("Window")
		c.then("Map")
		c.s = operators.Map(operators.Window(c.s, windows, second, key, zero, fold, operators.WindowKeys(1<<20)), sum)
		of := func(n int) [2]int { return [2]int{start(n), key(n)} }
		var order [][2]int
		sums := map[[2]int]int{}
		for _, n := range c.model {
			if _, there := sums[of(n)]; !there {
				order = append(order, of(n))
			}
			sums[of(n)] += n
		}
		slices.SortStableFunc(order, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
		c.model = []int{}
		for _, each := range order {
			c.model = append(c.model, sums[each])
		}
		return
	}
	if c.s.MixesRows() || c.numbers["Concat"] > 0 {
		return
	}
	c.then("WindowAdjacent")
	c.then("Map")
	c.needsOrder()
	// Each window is a key of its own, so that the order of times does not matter.
	c.s = operators.Map(operators.WindowAdjacent(c.s, windows, second, start, zero, fold), sum)
	c.model = groupModel(c.model, start)
}
