package operators_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestWindowRefusesWhatIsWrong(t *testing.T) {
	at := func(int) time.Time { return time.Time{} }
	keys, merge := operators.WindowKeys(1), operators.MergeStates(add)
	hour := operators.Tumbling(time.Hour)
	with := func(w operators.Windows, opts ...operators.WindowOption) anyStream {
		return operators.Window(count(1, 1), w, at, itself[int], zero, add, opts...)
	}
	for text, s := range map[string]anyStream{
		"Window: the function of the event time is nil": operators.Window(count(1, 1), hour, nil, itself[int], zero, add, keys),
		"the key function is nil":                       operators.Window[int, int](count(1, 1), hour, at, nil, zero, add, keys),
		"the seed function is nil":                      operators.Window(count(1, 1), hour, at, itself[int], nil, add, keys),
		"the fold is nil":                               operators.Window[int, int, int](count(1, 1), hour, at, itself[int], zero, nil, keys),
		"no bound: give WindowKeys or WindowBytes":      with(hour),
		"WindowKeys is 0":                               with(hour, operators.WindowKeys(0)),
		"WindowBytes is -1":                             with(hour, operators.WindowBytes(-1)),
		"an option is nil":                              with(hour, nil),
		"zero Windows":                                  with(operators.Windows{}, keys),
		"size of Tumbling(0s) is 0s":                    with(operators.Tumbling(0), keys),
		"is 1ns: event time has whole microseconds":     with(operators.Tumbling(1), keys),
		"every of Hopping(1m0s, -1s) is -1s":            with(operators.Hopping(time.Minute, -time.Second), keys),
		"rows in between would be in no window":         with(operators.Hopping(time.Minute, time.Hour), keys),
		"a row would be in 3600000 windows":             with(operators.Hopping(time.Hour, time.Millisecond), keys),
		"the gap of Session(-1s) is -1s":                with(operators.Session(-time.Second), keys, merge),
		"sessions have no offset":                       with(operators.Session(time.Second).Offset(time.Second), keys, merge),
		"the offset of Tumbling(1h0m0s).Offset(1ns)":    with(hour.Offset(1), keys),
		"give MergeStates":                              with(operators.Session(time.Second), keys),
		"MergeStates is for Session alone":              with(hour, keys, merge),
		"MergeStates: the function is nil":              with(operators.Session(time.Second), keys, operators.MergeStates[int](nil)),
		"MergeStates: the function is a func(float64, float64) (float64, error), and the states need a func(int, int) (int, error)": with(operators.Session(time.Second), keys,
			operators.MergeStates(func(a, _ float64) (float64, error) { return a, nil })),
		"LateRows: the function is a func(string) error, and the rows need a func(int) error": with(hour, keys, operators.LateRows(func(string) error { return nil })),
		"LateRows: the function is nil":           with(hour, keys, operators.LateRows[int](nil)),
		"AllowedLateness(-1s)":                    with(hour, keys, operators.AllowedLateness(-time.Second)),
		"EarlyResults is 0s":                      with(hour, keys, operators.EarlyResults(0)),
		"WindowWithLate: no bound":                operators.WindowWithLate(count(1, 1), hour, at, itself[int], zero, add),
		"WindowAdjacent: the key function is nil": operators.WindowAdjacent[int, int](count(1, 1), hour, at, nil, zero, add),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, text)
		require.ErrorContains(t, err, text)
	}
	_, err := with(operators.Session(time.Second), operators.AllowedLateness(-time.Second), operators.WindowBytes(0)).Count(t.Context())
	for _, text := range []string{"AllowedLateness(-1s)", "WindowBytes is 0", "give MergeStates", "give WindowKeys or WindowBytes"} {
		require.ErrorContains(t, err, text)
	}
	require.Equal(t, "Hopping(1h0m0s, 1m0s).Offset(-2h0m0s)", operators.Hopping(time.Hour, time.Minute).Offset(-2*time.Hour).String())
	require.Equal(t, "WindowKind(9)", operators.WindowKind(9).String())
}

func TestWindowAllocatesNothingForARowOfAStateThatIsThere(t *testing.T) {
	rows := make([]int, 512)
	for i := range rows {
		rows[i] = i % 7
	}
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	plain := testing.AllocsPerRun(3, func() { collectNothing(t, pagesOf(rows, 100)) })
	for name, s := range map[string]anyStream{
		"tumbling": operators.Window(pagesOf(rows, 100), operators.Tumbling(time.Hour), at, itself[int], zero, add, operators.WindowKeys(100)),
		"sessions": operators.Window(pagesOf(rows, 100), operators.Session(time.Hour), at, itself[int], zero, add, operators.WindowKeys(100), operators.MergeStates(add)),
	} {
		allocs := testing.AllocsPerRun(3, func() {
			_, err := s.Count(t.Context())
			require.NoError(t, err)
		})
		require.Less(t, allocs-plain, 2500.0, "%s: over 51,200 rows in 100 pages", name)
	}
}

func TestWindowsInLanesGiveWhatOneWindowGives(t *testing.T) {
	var pages []happening
	for at := range 200 {
		pages = append(pages, happening{part: at % 3, at: []int{at, at + 1}, mark: max(1, at-3)})
	}
	for part := range 3 {
		pages = append(pages, happening{part: part, last: true})
	}
	byTime := func(e timed) int { return e.at % 5 }
	windows := func(in rxcql.Stream[timed]) rxcql.Stream[timesIn] {
		return operators.Window(in, operators.Tumbling(10*time.Second), momentOf, byTime, noTimes, addTime, operators.WindowKeys(1000))
	}
	sorted := func(s rxcql.Stream[timesIn]) (all []string) {
		for _, r := range collect(t, s) {
			all = append(all, showWindow(r))
		}
		slices.SortFunc(all, cmp.Compare[string])
		return all
	}
	in := script("One", pages...)
	want := sorted(windows(in))
	require.Len(t, want, 21*5-4)
	require.Equal(t, want, sorted(operators.Lanes(in, 3, byTime, windows)))
}
