package operators_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// What these operators keep is made of the rows of the page at hand, and is charged in its place.
// Here it is the texts, which are all but a little of the page.
func TestWhatIsKeptOfAPageIsChargedInPlaceOfItsBytes(t *testing.T) {
	const rows = 50
	in := weighties(rows)
	texts := operators.Map(in, func(w weighty) (string, error) { return w.text[w.n:], nil })
	text := func(s string) string { return s }
	at := func(w weighty) time.Time { return time.UnixMilli(int64(w.n)) }
	said := func(w weighty) (time.Time, error) { return at(w), nil }
	last := func(_, w weighty) (weighty, error) { return w, nil }
	none := func() weighty { return weighty{} }
	for name, count := range map[string]func() (rxcql.Report, error){
		"Distinct": func() (rxcql.Report, error) {
			return operators.Distinct(texts, text, operators.DistinctKeys(rows)).ForEach(t.Context(), func(string) error { return nil })
		},
		"GroupBy": func() (rxcql.Report, error) {
			return operators.GroupBy(in, number, none, last, operators.GroupByGroups(rows)).
				ForEach(t.Context(), func(operators.Group[int, weighty]) error { return nil })
		},
		"Window": func() (rxcql.Report, error) {
			return operators.Window(operators.EventTime(in, said), operators.Tumbling(time.Hour), at, number, none, last,
				operators.WindowKeys(rows)).
				ForEach(t.Context(), func(operators.WindowResult[int, weighty]) error { return nil })
		},
	} {
		rep, err := count()
		require.NoError(t, err, name)
		const overhead = 300 // of a key or a state, on top of its text
		require.Less(t, rep.PeakBytes, rep.LargestPage+rows*overhead, "%s: it was charged on top of the page", name)
	}
}
