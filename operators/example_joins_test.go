package operators_test

import (
	"cmp"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func ExampleZip() {
	cities := from("Oslo", "Rome", "Cairo")
	degrees := from(-4, 12, 23)
	show(operators.Zip(cities, degrees, func(city string, celsius int) (string, error) {
		return fmt.Sprintf("%s %d °C", city, celsius), nil
	}))
	// Output: [Oslo -4 °C Rome 12 °C Cairo 23 °C]
}

func ExampleMergeSorted() {
	show(operators.MergeSorted(cmp.Compare[int], from(1, 4, 9), from(2, 4, 6), from(3)))
	// Output: [1 2 3 4 4 6 9]
}

func ExampleMergeJoin() {
	type customer struct {
		id   int
		name string
	}
	type order struct {
		customer int
		item     string
	}
	customers := from(customer{1, "Ann"}, customer{2, "Bob"}, customer{3, "Cy"})
	orders := from(order{1, "tea"}, order{3, "ink"}, order{3, "pen"}, order{4, "cup"})
	pairs := operators.MergeJoin(customers, orders,
		func(c customer) int { return c.id }, func(o order) int { return o.customer }, cmp.Compare[int])
	show(operators.Map(pairs, func(p rxcql.Pair[customer, order]) (string, error) {
		switch {
		case p.Both():
			return p.Left.name + " buys " + p.Right.item, nil
		case p.HasLeft:
			return p.Left.name + " buys nothing", nil
		}
		return "nobody buys " + p.Right.item, nil
	}))
	// Output: [Ann buys tea Bob buys nothing Cy buys ink Cy buys pen nobody buys cup]
}
