package operators_test

import (
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// Each click is joined with what was shown to the same user in the five minutes before.
func ExampleIntervalJoin() {
	type event struct {
		user   string
		minute int
		what   string
	}
	at := func(e event) time.Time { return time.Date(2026, 1, 1, 0, e.minute, 0, 0, time.UTC) }
	timeOf := func(e event) (time.Time, error) { return at(e), nil }
	user := func(e event) string { return e.user }
	shown := operators.EventTime(from(event{"ann", 0, "tea"}, event{"bob", 1, "ink"}, event{"ann", 9, "cup"}), timeOf)
	clicks := operators.EventTime(from(event{"ann", 4, "click"}, event{"bob", 30, "click"}), timeOf)
	pairs := operators.IntervalJoin(shown, clicks, at, at, user, user, 0, 5*time.Minute, operators.IntervalJoinRows(100_000))
	show(operators.Map(pairs, func(p rxcql.Pair[event, event]) (string, error) {
		return fmt.Sprintf("%s, shown at %d, was clicked at %d", p.Left.what, p.Left.minute, p.Right.minute), nil
	}))
	// Output:
	// [tea, shown at 0, was clicked at 4]
}
