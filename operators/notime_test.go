package operators_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// A null is decoded into the zero time.Time. Rows without a time are of no window, and have nothing
// to do with each other.
func TestARowWithoutATimeIsAnErrorOfItsRowForAllThatGoesByEventTime(t *testing.T) {
	at := func(n int) time.Time {
		if n%3 == 0 {
			return time.Time{}
		}
		return second(n)
	}
	nobody := func(int) int { return 0 }
	for name, run := range map[string]func(opts ...rxcql.Option) (rxcql.Report, error){
		"EventTime": func(opts ...rxcql.Option) (rxcql.Report, error) {
			return rxcql.Run(t.Context(), operators.EventTime(count(9, 3), func(n int) (time.Time, error) { return at(n), nil }), &gather[int]{}, opts...)
		},
		"Window": func(opts ...rxcql.Option) (rxcql.Report, error) {
			s := operators.Window(count(9, 3), operators.Tumbling(time.Second), at, nobody, zero, add, operators.WindowKeys(100))
			return rxcql.Run(t.Context(), s, &gather[operators.WindowResult[int, int]]{}, opts...)
		},
		"WindowAdjacent": func(opts ...rxcql.Option) (rxcql.Report, error) {
			s := operators.WindowAdjacent(count(9, 3), operators.Tumbling(time.Second), at, nobody, zero, add)
			return rxcql.Run(t.Context(), s, &gather[operators.WindowResult[int, int]]{}, opts...)
		},
		"IntervalJoin": func(opts ...rxcql.Option) (rxcql.Report, error) {
			s := operators.IntervalJoin(count(9, 3), operators.Filter(count(9, 3), func(n int) bool { return n%3 != 0 }),
				at, second, nobody, nobody, 0, 0, operators.IntervalJoinRows(100))
			return rxcql.Run(t.Context(), s, &gather[rxcql.Pair[int, int]]{}, opts...)
		},
	} {
		_, err := run()
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row, name)
		require.ErrorContains(t, err, "zero time.Time", name)
		failedIn(t, name, err)
		rep, err := run(rxcql.WithRowErrors(rxcql.SkipRows(3)))
		require.NoError(t, err, name)
		require.EqualValues(t, []int64{3, 6}, []int64{rep.Skipped, rep.Written}, name)
	}
}
