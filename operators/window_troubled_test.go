package operators_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// troubled are pages of parts whose rows are shuffled, duplicated and much too late at times, and
// which are idle at times, begin late and end early.
func troubled(rt *rapid.T) (pages []happening) {
	parts := make([]int, rapid.IntRange(1, 3).Draw(rt, "parts"))
	open, wall := map[int]bool{}, 1000
	for part := range parts {
		parts[part], open[part] = 1000+rapid.IntRange(-10, 10).Draw(rt, "begins"), true
	}
	for range rapid.IntRange(0, 40).Draw(rt, "pages") {
		p := happening{part: rapid.IntRange(0, len(parts)-1).Draw(rt, "part")}
		if !open[p.part] {
			continue
		}
		wall += rapid.IntRange(0, 4).Draw(rt, "passes")
		switch rapid.SampledFrom([]string{"rows", "rows", "rows", "idle", "empty", "last"}).Draw(rt, "what") {
		case "rows":
			for range rapid.IntRange(1, 6).Draw(rt, "rows") {
				parts[p.part] += rapid.SampledFrom([]int{0, 0, 1, 3, 8}).Draw(rt, "on")
				at := parts[p.part] - rapid.SampledFrom([]int{0, 0, 2, 7, 60}).Draw(rt, "earlier")
				for range rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(rt, "times") {
					p.at = append(p.at, at)
				}
			}
		case "idle":
			p.idle = wall
		case "last":
			if rapid.IntRange(0, 3).Draw(rt, "ends early") == 0 {
				p.last, open[p.part] = true, false
			}
		}
		pages = append(pages, p)
	}
	for part := range parts {
		if open[part] {
			pages = append(pages, happening{part: part, last: true})
		}
	}
	return pages
}

// Each result comes behind the same page, with the same rows, and as many rows are late.
func TestWindowIsWhatAnOracleSaysOverShuffledLateDuplicatedAndIdleInput(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", uneven, "Session"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				o := newOracle(kind)
				windows, opts := jobWindows(kind)
				if o.lateness = rapid.SampledFrom([]int{0, 0, 5, 30}).Draw(rt, "lateness"); o.lateness > 0 {
					opts = append(opts, operators.AllowedLateness(time.Duration(o.lateness)*time.Second))
				}
				o.outOfOrder, o.idleAfter = rapid.SampledFrom([]int{0, 3, 10}).Draw(rt, "out of order"), rapid.IntRange(0, 6).Draw(rt, "idle after")
				if o.early = rapid.SampledFrom([]int{0, 1, 4, 30}).Draw(rt, "early"); o.early > 0 {
					opts = append(opts, operators.EarlyResults(time.Duration(o.early)*time.Second))
				}
				pages := troubled(rt)
				o.looksAt(pages)

				page := 0
				for i := range pages {
					pages[i].then = func(context.Context) error { page++; return nil }
				}
				timely := operators.EventTime(script("A", pages...), happened,
					operators.OutOfOrderness(time.Duration(o.outOfOrder)*time.Second), operators.IdleAfter(time.Duration(o.idleAfter)*time.Second))
				var got []string
				results := operators.Tap(operators.Window(timely, windows, momentOf, thirdOf, noTimes, addTime, opts...), func(r timesIn) error {
					got = append(got, given(page, r.Key, int(r.Start.Unix()), int(r.End.Unix()), r.Value, r.Kind, r.Late))
					return nil
				})
				rep, err := rxcql.Run(context.Background(), results, &gather[timesIn]{})
				require.NoError(rt, err)
				require.Equal(rt, slices.Sorted(slices.Values(o.given)), slices.Sorted(slices.Values(got)))
				require.EqualValues(rt, o.late, rep.LateRows)
				require.Equal(rt, rep.Pages, rep.PagesSettled)
			})
		})
	}
}
