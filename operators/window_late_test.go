package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestRowsThatAreLateAreCountedAndGivenToWhoWantsThem(t *testing.T) {
	in := func() rxcql.Stream[timed] {
		return script("One",
			happening{at: []int{25}, mark: 20},
			happening{at: []int{5, 21, 12, 19}, mark: 20},
			happening{at: []int{3}, last: true},
		)
	}
	told := 0
	hooks := rxcql.WithHooks(rxcql.Hooks{RowsLate: func(_ context.Context, e rxcql.LateEvent) {
		require.Equal(t, "Window", e.Stage)
		told += e.Rows
	}})
	var late []int
	s := inWindows(in(), operators.Hopping(20*time.Second, 10*time.Second), operators.LateRows(func(e timed) error {
		late = append(late, e.at)
		return nil
	}))
	sink := &gather[timesIn]{}
	rep, err := rxcql.Run(t.Context(), s, sink, hooks)
	require.NoError(t, err)
	require.Equal(t, []string{"part 0 at 20", "0: 10-30 [12 19 21 25]", "0: 20-40 [21 25]", "part 0 at 20", "part 0 ends"}, showPages(sink.pages))
	require.Equal(t, []int{5, 12, 19, 3}, late, "12 and 19 missed one of two windows")
	require.EqualValues(t, 4, rep.LateRows)
	require.Equal(t, 4, told)
	require.EqualValues(t, 2, stagesOf(rep)["Window"].Dropped, "5 and 3 are in no window")
	require.EqualValues(t, 2, rep.Filtered)

	both := operators.WindowWithLate(in(), operators.Hopping(20*time.Second, 10*time.Second), momentOf, partOf, noTimes, addTime, operators.WindowKeys(100))
	outs, rep := pagesOut(t, both)
	var got []string
	for _, p := range outs {
		for _, r := range p.Rows {
			if r.IsLate {
				require.Negative(t, p.Range)
				got = append(got, fmt.Sprintf("late %d missed %d", r.Row.at, r.Missed))
				continue
			}
			got = append(got, showWindow(r.Window))
		}
	}
	require.Equal(t, []string{
		"late 5 missed 2", "late 12 missed 1", "late 19 missed 1", "late 3 missed 2",
		"0: 10-30 [12 19 21 25]", "0: 20-40 [21 25]",
	}, got)
	require.EqualValues(t, 4, rep.LateRows)
	require.Zero(t, rep.Filtered)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestAllowedLatenessCorrectsResults(t *testing.T) {
	pages, rep := pagesOut(t, inWindows(script("One",
		happening{at: []int{1, 11}, mark: 12},
		happening{at: []int{2, 13, 3}, mark: 12},
		happening{mark: 14},
		happening{at: []int{4}, mark: 15},
		happening{at: []int{5}, mark: 16},
		happening{at: []int{14}, last: true},
	), operators.Tumbling(10*time.Second), operators.AllowedLateness(5*time.Second)))
	require.Equal(t, []string{
		"0: 0-10 [1]", "0: 0-10 [1 2 3] Corrected late 2", "0: 0-10 [1 2 3 4] Corrected late 3", "part 0 at 10",
		"0: 10-20 [11 13 14]", "part 0 at 16", "part 0 ends",
	}, slices.DeleteFunc(showPages(pages), func(s string) bool { return s == "part 0 at 7" }))
	require.EqualValues(t, 1, rep.LateRows, "5 came when the window was over")
}

func TestEarlyResultsComeAsEventTimeGoesOn(t *testing.T) {
	pages, _ := pagesOut(t, inWindows(script("One",
		happening{at: []int{1}, mark: 1},
		happening{at: []int{2}, mark: 3},
		happening{at: []int{4}, mark: 4}, // another multiple of 2
		happening{mark: 5},
		happening{mark: 8}, // nothing has changed since
		happening{at: []int{12}, mark: 9},
		happening{mark: 12},
		happening{last: true},
	), operators.Tumbling(10*time.Second), operators.EarlyResults(2*time.Second)))
	require.Equal(t, []string{
		"0: 0-10 [1 2] Early",
		"0: 0-10 [1 2 4] Early",
		"0: 0-10 [1 2 4]",
		"0: 10-20 [12] Early",
		"0: 10-20 [12]",
	}, slices.DeleteFunc(showPages(pages), func(s string) bool { return strings.HasPrefix(s, "part") }))
}

// A sink may fail with any page of results: of final ones, of corrected ones behind a page, and of
// those that come at the end.
func TestAFailureWithAnyPageOfResultsEndsTheStream(t *testing.T) {
	const keys = 600 // more than a page
	var early, late []int
	for key := range keys {
		early, late = append(early, key*1000+1), append(late, key*1000+2)
	}
	at := func(e timed) time.Time { return time.Unix(int64(e.at%1000), 0) }
	key := func(e timed) int { return e.at / 1000 }
	for _, windows := range []operators.Windows{operators.Tumbling(10 * time.Second), operators.Session(5 * time.Second)} {
		opts := []operators.WindowOption{operators.WindowKeys(1 << 20), operators.AllowedLateness(time.Minute), operators.EarlyResults(3 * time.Second)}
		if windows == operators.Session(5*time.Second) {
			opts = append(opts, operators.MergeStates(bothTimes))
		}
		for fails := 1; ; fails++ {
			in := script("One", happening{at: early, mark: 1}, happening{mark: 4}, happening{mark: 12}, happening{at: late, mark: 13},
				happening{at: []int{500}, last: true})
			pages, boom := 0, errors.New("boom")
			out := &gather[timesIn]{took: func(rows []timesIn) error {
				if len(rows) == 0 {
					return nil
				}
				if pages++; pages == fails {
					return boom
				}
				return nil
			}}
			_, err := rxcql.Run(t.Context(), operators.Window(in, windows, at, key, noTimes, addTime, opts...), out)
			if pages < fails {
				require.NoError(t, err)
				require.Equal(t, 7, pages, "early, final and corrected results, two pages each, and the last")
				break
			}
			require.ErrorIs(t, err, boom)
			require.Equal(t, fails, pages)
		}
	}
}
