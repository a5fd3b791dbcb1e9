package operators_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/reactivex/rxgo/v2"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

var errUser = errors.New("the user's function failed")

// chain is a random chain of operators and what it should give.
type chain struct {
	s       rxcql.Stream[int]
	model   []int
	exact   bool // the model says which rows
	ordered bool // and in what order
	fails   bool // a stream in it fails with errPasses, and another reading or stream follows
	names   []string
	inputs  map[string][]string // by stage, the stages before it
	numbers map[string]int
	budget  int64
}

func (c *chain) stage(verb string, inputs ...string) string {
	c.numbers[verb]++
	name := verb
	if k := c.numbers[verb]; k > 1 {
		name = fmt.Sprintf("%s %d", verb, k)
	}
	c.names = append(c.names, name)
	c.inputs[name] = inputs
	return name
}

// laneStage is a stage that gets a part of the rows of another.
func (c *chain) laneStage(verb string) string {
	name := c.stage(verb)
	delete(c.inputs, name)
	return name
}

func (c *chain) last() string { return c.names[len(c.names)-1] }

func (c *chain) then(verb string) { c.stage(verb, c.last()) }

// needsOrder is called for operators whose result depends on the order.
func (c *chain) needsOrder() { c.exact = c.exact && c.ordered }

func randomChain(rt *rapid.T, fail func() error) *chain {
	n := rapid.IntRange(0, 200).Draw(rt, "rows")
	c := &chain{
		s: count(n, rapid.IntRange(1, 40).Draw(rt, "page")), model: upTo(n), exact: true, ordered: true,
		inputs: map[string][]string{}, numbers: map[string]int{}, budget: rxcql.MinBudgetPerInput,
	}
	c.stage("Seq")
	for range rapid.IntRange(1, 5).Draw(rt, "length") {
		c.grow(rt, fail)
	}
	return c
}

func (c *chain) grow(rt *rapid.T, fail func() error) {
	c.growBy(rt, rapid.SampledFrom([]string{
		"Map", "Filter", "FlatMap", "Scan", "Reduce", "Take", "TakeWhile", "Skip", "Tap",
		"Batch", "Batch timed", "GroupAdjacent", "MapConcurrent", "Unordered", "Lookup", "Lookup unordered", "Merge", "Concat", "Distinct", "DistinctAdjacent",
		"Retry", "Retry of one that fails at first", "Recover", "Recover from one that has failed", "Rx", "Lanes", "GroupBy",
		"Window", "WindowAdjacent", "EventTime",
		"Zip", "MergeSorted", "MergeJoin", "IntervalJoin",
		"Throttle", "Buffer", "Buffer, dropping", "Timeout", "Sample", "Debounce", "Conflate",
	}).Draw(rt, "verb"), fail)
}

func (c *chain) growBy(rt *rapid.T, verb string, fail func() error) {
	k := rapid.IntRange(0, 20).Draw(rt, "k")
	switch verb {
	case "Map":
		c.then("Map")
		c.s = operators.Map(c.s, func(n int) (int, error) { return n + k, fail() })
		c.model = each(c.model, func(n int) []int { return []int{n + k} })
	case "Filter":
		c.then("Filter")
		keep := func(n int) bool { return n%(k+1) != 0 }
		c.s = operators.Filter(c.s, keep)
		c.model = each(c.model, func(n int) []int { return []int{n}[:btoi(keep(n))] })
	case "FlatMap":
		c.then("FlatMap")
		c.s = operators.FlatMap(c.s, func(n int, emit func(int) bool) error {
			for range n & 3 {
				emit(n)
			}
			return fail()
		})
		c.model = each(c.model, func(n int) []int { return slices.Repeat([]int{n}, n&3) })
	case "Scan":
		c.then("Scan")
		c.needsOrder()
		c.s = operators.Scan(c.s, func() int { return k }, add)
		sum := k
		c.model = each(c.model, func(n int) []int { sum += n; return []int{sum} })
	case "Reduce":
		c.then("Reduce")
		c.s = operators.Reduce(c.s, func() int { return k }, add)
		sum := k
		for _, n := range c.model {
			sum += n
		}
		c.model = []int{sum}
	case "Take":
		c.then("Take")
		c.needsOrder()
		c.s, c.model = operators.Take(c.s, int64(k)), c.model[:min(k, len(c.model))]
	case "TakeWhile":
		c.then("TakeWhile")
		c.needsOrder()
		c.s = operators.TakeWhile(c.s, func(n int) bool { return n <= 10*k })
		if i := slices.IndexFunc(c.model, func(n int) bool { return n > 10*k }); i >= 0 {
			c.model = c.model[:i]
		}
	case "Skip":
		c.then("Skip")
		c.needsOrder()
		c.s, c.model = operators.Skip(c.s, int64(k)), c.model[min(k, len(c.model)):]
	case "Tap":
		c.then("Tap")
		c.s = operators.Tap(c.s, func(int) error { return fail() })
	case "Batch", "Batch timed":
		c.then("Batch")
		c.then("FlatMap")
		opts := []operators.BatchOption{operators.BatchRows(k + 1)}
		if verb != "Batch" {
			opts = append(opts, operators.BatchLinger(time.Duration(k+1)*10*time.Microsecond))
		}
		c.s = operators.FlatMap(operators.Batch(c.s, opts...), func(rows []int, emit func(int) bool) error {
			for _, n := range rows {
				emit(n)
			}
			return fail()
		})
	case "GroupAdjacent":
		if c.s.MixesRows() || c.numbers["Concat"] > 0 { // which leaves parts of several sources: groups end with them
			return
		}
		c.then("GroupAdjacent")
		c.then("Map")
		c.needsOrder()
		key := func(n int) int { return n / (k + 1) }
		groups := operators.GroupAdjacent(c.s, key, zero, func(s, n int) (int, error) { return s + n, fail() })
		c.s = operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
		c.model = groupModel(c.model, key)
	case "GroupBy":
		c.then("GroupBy")
		c.then("Map")
		key := func(n int) int { return n % (k + 1) }
		groups := operators.GroupBy(c.s, key, zero, func(s, n int) (int, error) { return s + n, fail() }, operators.GroupByGroups(1<<20))
		c.s = operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
		c.model = groupByModel(c.model, key)
	case "Window", "WindowAdjacent", "EventTime":
		c.growByWindows(verb, k, fail)
	case "Lanes":
		before, lanes := c.last(), k%4+1
		c.stage("Lanes in", before)
		var out []string
		for lane := 1; lane <= lanes; lane++ {
			in := c.laneStage(fmt.Sprintf("Lane %d", lane))
			out = append(out, c.stage(fmt.Sprintf("Map (lane %d)", lane), in))
		}
		c.stage("Lanes", out...)
		c.s = operators.Lanes(c.s, lanes, func(n int) int { return n / 3 }, func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Map(in, func(n int) (int, error) { return n + k, fail() })
		})
		c.model, c.ordered = each(c.model, func(n int) []int { return []int{n + k} }), c.ordered && lanes == 1
	case "MapConcurrent", "Unordered":
		c.then("MapConcurrent")
		var opts []operators.MapConcurrentOption
		if verb == "Unordered" {
			opts, c.ordered = append(opts, operators.Unordered()), false
		}
		c.s = operators.MapConcurrent(c.s, k+1, func(_ context.Context, n int) (int, error) { return n - k, fail() }, opts...)
		c.model = each(c.model, func(n int) []int { return []int{n - k} })
	case "Lookup", "Lookup unordered":
		c.then("Lookup")
		opts := []operators.LookupOption{operators.LookupInFlight(k + 1)}
		if verb != "Lookup" {
			opts, c.ordered = append(opts, operators.Unordered(), operators.LookupCache(1<<12, time.Hour)), false
		}
		c.s = lookUpCustomer(c.s, positive, func(n int) (int, error) { return n - k, fail() }, opts...)
		c.model = each(c.model, func(n int) []int { return []int{n - k} })
	case "Merge":
		before := c.last()
		c.stage("Merge", before, c.stage("Seq"))
		c.s, c.ordered = operators.Merge(c.s, count(k, 3)), false
		c.model = append(slices.Clone(c.model), upTo(k)...)
		c.budget += rxcql.MinBudgetPerInput
	case "Distinct":
		c.then("Distinct")
		c.s = operators.Distinct(c.s, itself[int], operators.DistinctKeys(1<<20))
		met := map[int]bool{}
		c.model = slices.DeleteFunc(slices.Clone(c.model), func(n int) bool {
			again := met[n]
			met[n] = true
			return again
		})
	case "DistinctAdjacent":
		if c.s.MixesRows() || c.numbers["Concat"] > 0 {
			return
		}
		c.then("DistinctAdjacent")
		c.needsOrder()
		key := func(n int) int { return n / (k + 1) }
		c.s = operators.DistinctAdjacent(c.s, key)
		c.model = slices.CompactFunc(slices.Clone(c.model), func(a, b int) bool { return key(a) == key(b) })
	case "Concat":
		before := c.last()
		c.stage("Concat", before, c.stage("Seq"))
		c.s = operators.Concat(c.s, count(k, 3))
		c.model = append(slices.Clone(c.model), upTo(k)...)
		c.budget += rxcql.MinBudgetPerInput
	case "Zip":
		before := c.last()
		c.needsOrder()
		c.stage("Zip", before, c.stage("Seq"))
		c.s = operators.Zip(c.s, count(10*k, 3), func(a, b int) (int, error) { return a + b, fail() })
		c.model = slices.Clone(c.model[:min(10*k, len(c.model))])
		for i := range c.model {
			c.model[i] += i
		}
		c.budget += rxcql.MinBudgetPerInput
	case "MergeSorted":
		before := c.last()
		c.stage("MergeSorted", before, c.stage("Seq"))
		c.s = operators.MergeSorted(func(_, _ int) int { return 0 }, c.s, count(k, 3))
		c.model = append(slices.Clone(c.model), upTo(k)...)
		c.budget += rxcql.MinBudgetPerInput
	case "MergeJoin": // of rows that have no partners, those of the other side first
		before := c.last()
		c.stage("MergeJoin", before, c.stage("Seq"))
		c.then("Map")
		pairs := operators.MergeJoin(c.s, count(k, 3), func(int) int { return 1 }, func(int) int { return 0 }, cmp.Compare[int])
		c.s = operators.Map(pairs, func(p rxcql.Pair[int, int]) (int, error) { return p.Left + p.Right, fail() })
		c.model = append(upTo(k), c.model...)
		c.budget += rxcql.MinBudgetPerInput
	case "IntervalJoin":
		c.growByIntervalJoin(k, fail)
	case "Retry":
		if c.numbers["Rx"] > 0 {
			return
		}
		c.then("Retry") // errors of the chain are none that may pass
		c.s = operators.Retry(c.s)
	case "Retry of one that fails at first":
		if c.numbers["Rx"] > 0 {
			return
		}
		c.then("Fails first")
		c.then("Retry")
		c.s, c.fails = operators.Retry(failsFirst(c.s), atOnce()...), true
	case "Recover from one that has failed":
		before := c.last()
		c.stage("Recover", c.stage("Script"), before)
		c.s, c.fails = operators.Recover(rxcqltest.NewScript[int]().Fail(errPasses).Stream(), c.s), true
		c.budget += rxcql.MinBudgetPerInput
	case "Recover":
		before := c.last()
		c.stage("Recover", before, c.stage("Seq"))
		c.s = operators.Recover(c.s, count(k, 3), operators.RecoverIf(func(error) bool { return false }))
		c.budget += rxcql.MinBudgetPerInput
	case "Rx":
		c.then("Rx")
		c.s = operators.Rx[int, int](c.s, func(o rxgo.Observable) rxgo.Observable {
			return o.Map(func(_ context.Context, item any) (any, error) { return item.(int) + k, fail() })
		})
		c.model = each(c.model, func(n int) []int { return []int{n + k} })
	default:
		c.growByTime(rt, verb, k, fail)
	}
}
