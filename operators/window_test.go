package operators_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// momentOf is the event time of a timed, in seconds.
func momentOf(e timed) time.Time { return time.Unix(int64(e.at), 0) }

func partOf(e timed) int { return e.part }

func noTimes() []int { return nil }

func addTime(all []int, e timed) ([]int, error) { return append(all, e.at), nil }

func bothTimes(a, b []int) ([]int, error) { return slices.Concat(a, b), nil }

type timesIn = operators.WindowResult[int, []int]

// inWindows are the times in each window of each part.
func inWindows(in rxcql.Stream[timed], windows operators.Windows, opts ...operators.WindowOption) rxcql.Stream[timesIn] {
	return operators.Window(in, windows, momentOf, partOf, noTimes, addTime, append(opts, operators.WindowKeys(1<<20))...)
}

// showWindow is a result as text.
func showWindow(r timesIn) string {
	slices.Sort(r.Value)
	text := fmt.Sprintf("%d: %d-%d %v", r.Key, r.Start.Unix(), r.End.Unix(), r.Value)
	if r.Kind != operators.Final {
		text += " " + r.Kind.String()
	}
	if r.Late > 0 {
		text += fmt.Sprintf(" late %d", r.Late)
	}
	return text
}

// showPages are the pages of results, each behind the other, with what they say.
func showPages(pages []seen[timesIn]) (all []string) {
	for _, p := range pages {
		for _, r := range p.Rows {
			all = append(all, showWindow(r))
		}
		if p.Watermark.Known() {
			all = append(all, fmt.Sprintf("part %d at %d", p.Range, p.Watermark.Time().Unix()))
		}
		if p.Last {
			all = append(all, fmt.Sprintf("part %d ends", p.Range))
		}
	}
	return all
}

func TestAWindowIsHandedOnWhenEventTimeHasComeToItsEnd(t *testing.T) {
	pages, rep := pagesOut(t, inWindows(script("One",
		happening{part: 0, at: []int{1, 12, 3}, mark: 9},
		happening{part: 0, at: []int{9}, mark: 10},
		happening{part: 1, at: []int{15}},
		happening{part: 1, mark: 10},
		happening{part: 0, mark: 30},
		happening{part: 1, at: []int{22}, mark: 21},
		happening{part: 1, last: true},
		happening{part: 0, at: []int{31}, last: true},
	), operators.Tumbling(10*time.Second)))
	require.Equal(t, []string{
		"0: 0-10 [1 3 9]", "part 0 at 10", "part 1 at 10",
		"0: 10-20 [12]", "1: 10-20 [15]", "part 0 at 21", "part 1 at 21",
		"1: 20-30 [22]", "part 0 at 30", "part 1 at 21", "part 1 ends",
		"0: 30-40 [31]", "part 0 at 30", "part 0 ends",
	}, showPages(pages))
	require.True(t, rep.Complete)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.LateRows)
}

func TestARowOfHoppingWindowsIsInEach(t *testing.T) {
	pages, _ := pagesOut(t, inWindows(script("One",
		happening{at: []int{1, 12}, mark: 15},
		happening{at: []int{15}, last: true},
	), operators.Hopping(10*time.Second, 5*time.Second)))
	require.Equal(t, []string{
		"0: -5-5 [1]", "0: 0-10 [1]", "0: 5-15 [12]", "part 0 at 15",
		"0: 10-20 [12 15]", "0: 15-25 [15]", "part 0 at 15", "part 0 ends",
	}, showPages(pages))
}

func TestSessionsEndAGapBehindTheirLastRowAndBecomeOneByARowBetweenThem(t *testing.T) {
	session := operators.MergeStates(bothTimes)
	pages, _ := pagesOut(t, inWindows(script("One",
		happening{at: []int{1, 5, 30, 16}, mark: 2},
		happening{at: []int{23}, mark: 15},
		happening{mark: 40},
		happening{at: []int{50}, last: true},
	), operators.Session(10*time.Second), session))
	require.Equal(t, []string{
		"0: 1-15 [1 5]", "part 0 at 15",
		"0: 16-40 [16 23 30]", "part 0 at 40",
		"0: 50-60 [50]", "part 0 at 40", "part 0 ends",
	}, slices.DeleteFunc(showPages(pages), func(s string) bool { return s == "part 0 at 2" }))
}

func TestAnOffsetMovesWindows(t *testing.T) {
	pages, _ := pagesOut(t, inWindows(script("One", happening{at: []int{1, 2, 3, -8}, last: true}),
		operators.Tumbling(10*time.Second).Offset(2*time.Second)))
	require.Equal(t, []string{"0: -8-2 [-8 1]", "0: 2-12 [2 3]", "part 0 ends"}, showPages(pages))
}

// Every row that is not late is in the result of each of its windows, once, whatever pages and
// parts there are; and each window has one result.
func TestEveryRowIsCountedOnceInEachOfItsWindows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		windows := rapid.SampledFrom([]operators.Windows{
			operators.Tumbling(7 * time.Second), operators.Hopping(9*time.Second, 4*time.Second), operators.Session(5 * time.Second),
		}).Draw(rt, "windows")
		opts := []operators.WindowOption{operators.WindowKeys(1 << 20)}
		isSession := strings.HasPrefix(windows.String(), "Session")
		if isSession {
			opts = append(opts, operators.MergeStates(bothTimes))
		}
		w := &watched{marks: map[partName]flow.Watermark{}}
		in := randomScript(rt, "A", w.marks)
		want := map[string]int{} // by key, window and time
		for _, e := range collectTimed(rt, in) {
			if isSession {
				want[fmt.Sprint(e.part, e.at)]++
				continue
			}
			size, every := 7, 7
			if strings.HasPrefix(windows.String(), "Hopping") {
				size, every = 9, 4
			}
			for start := -every * 100; start <= e.at; start += every {
				if start+size > e.at {
					want[fmt.Sprint(e.part, start, e.at)]++
				}
			}
		}
		got, seenWindow := map[string]int{}, map[string]bool{}
		results, err := operators.Window(in, windows, momentOf, partOf, noTimes, addTime, opts...).Collect(rt.Context())
		require.NoError(rt, err)
		for _, r := range results {
			name := fmt.Sprint(r.Key, r.Start.Unix())
			require.False(rt, seenWindow[name], "window %s is handed on twice", name)
			seenWindow[name] = true
			require.Equal(rt, operators.Final, r.Kind)
			require.EqualValues(rt, len(r.Value), r.Rows)
			slices.Sort(r.Value)
			for i, at := range r.Value {
				require.False(rt, int64(at) < r.Start.Unix() || int64(at) >= r.End.Unix())
				if isSession {
					require.False(rt, i > 0 && at-r.Value[i-1] >= 5)
					got[fmt.Sprint(r.Key, at)]++
					continue
				}
				got[fmt.Sprint(r.Key, r.Start.Unix(), at)]++
			}
		}
		require.Equal(rt, want, got)
	})
}

func collectTimed(t require.TestingT, s rxcql.Stream[timed]) []timed {
	rows, err := s.Collect(context.Background())
	require.NoError(t, err)
	return rows
}

func TestWindowsOverWindowsLoseNothingToWatermarks(t *testing.T) {
	var pages []happening
	for at := 0; at < 300; at++ {
		pages = append(pages, happening{at: []int{at}, mark: at})
	}
	minutes := inWindows(script("One", append(pages, happening{last: true})...), operators.Tumbling(10*time.Second))
	hours := operators.Window(minutes, operators.Tumbling(100*time.Second),
		func(r timesIn) time.Time { return r.End.Add(-time.Microsecond) }, func(r timesIn) int { return r.Key }, zero,
		func(n int, r timesIn) (int, error) { return n + len(r.Value), nil }, operators.WindowKeys(2))
	results, rep := pagesOut(t, hours)
	var counts []int
	for _, p := range results {
		for _, r := range p.Rows {
			counts = append(counts, r.Value)
		}
	}
	require.Equal(t, []int{100, 100, 100}, counts)
	require.Zero(t, rep.LateRows)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}
