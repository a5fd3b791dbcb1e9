package operators_test

import (
	"fmt"

	"github.com/rxcql/rxcql/operators"
)

func ExampleGroupBy() {
	words := from("pear", "apple", "plum", "fig", "avocado")
	byLetter := operators.GroupBy(words,
		func(w string) byte { return w[0] },
		func() int { return 0 },
		func(letters int, w string) (int, error) { return letters + len(w), nil },
		operators.GroupByGroups(26))
	show(operators.Map(byLetter, func(g operators.Group[byte, int]) (string, error) {
		return fmt.Sprintf("%c: %d words, %d letters", g.Key, g.Rows, g.Value), nil
	}))
	// Output:
	// [p: 2 words, 8 letters a: 2 words, 12 letters f: 1 words, 3 letters]
}
