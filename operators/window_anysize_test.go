package operators_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// anyWindows are windows of any size, and the names of those that a row is in. gap is that of
// sessions, else 0.
type anyWindows struct{ size, every, offset, gap int }

func drawWindows(rt *rapid.T) anyWindows {
	if rapid.Bool().Draw(rt, "sessions") {
		return anyWindows{gap: rapid.IntRange(1, 30).Draw(rt, "gap")}
	}
	size := rapid.IntRange(1, 40).Draw(rt, "size")
	return anyWindows{size: size, every: rapid.IntRange(1, size).Draw(rt, "every"), offset: rapid.IntRange(-100, 100).Draw(rt, "offset")}
}

func (w anyWindows) windows() operators.Windows {
	if w.gap > 0 {
		return operators.Session(time.Duration(w.gap) * time.Second)
	}
	return operators.Hopping(time.Duration(w.size)*time.Second, time.Duration(w.every)*time.Second).Offset(time.Duration(w.offset) * time.Second)
}

// starts are those of the windows that a time is in, by trying each second.
func (w anyWindows) starts(at int) (all []int) {
	for start := at - w.size + 1; start <= at; start++ {
		if (start-w.offset)%w.every == 0 {
			all = append(all, start)
		}
	}
	return all
}

func (w anyWindows) of(rows []stamped) map[string][]int {
	all := map[string][]int{}
	add := func(r stamped, start, end int) {
		name := fmt.Sprint(r.key, " ", start, "-", end)
		all[name] = append(all[name], r.number)
		slices.Sort(all[name])
	}
	if w.gap == 0 {
		for _, r := range rows {
			for _, start := range w.starts(r.at) {
				add(r, start, start+w.size)
			}
		}
		return all
	}
	keys := map[int][]stamped{}
	for _, r := range rows {
		keys[r.key] = append(keys[r.key], r)
	}
	for _, of := range keys {
		slices.SortFunc(of, func(a, b stamped) int { return a.at - b.at })
		for i := 0; i < len(of); {
			j := i + 1
			for j < len(of) && of[j].at-of[j-1].at < w.gap {
				j++
			}
			for _, r := range of[i:j] {
				add(r, of[i].at, of[j-1].at+w.gap)
			}
			i = j
		}
	}
	return all
}

func moveBack(parts *jobtest.Parts[stamped], by int) {
	for _, rows := range parts.Rows {
		for i := range rows {
			rows[i].at -= by
		}
	}
}

func TestJobsWithWindowsOfAnySizeEndWithTheTableOfOneThatWasNotBrokenOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWindows(rt)
		jitter := rapid.IntRange(0, 30).Draw(rt, "most jitter")
		parts := stampedParts(rt, jitter, false)
		moveBack(parts, rapid.SampledFrom([]int{0, 7, 1_000_000_000, 62_000_000_000}).Draw(rt, "back"))
		opts := []operators.WindowOption{operators.WindowKeys(1 << 20)}
		if w.gap > 0 {
			opts = append(opts, operators.MergeStates(bothTimes))
		}
		if rapid.Bool().Draw(rt, "lateness") {
			opts = append(opts, operators.AllowedLateness(time.Duration(rapid.IntRange(1, 50).Draw(rt, "d"))*time.Second))
		}
		if w.gap == 0 && rapid.Bool().Draw(rt, "early") {
			opts = append(opts, operators.EarlyResults(time.Duration(rapid.IntRange(1, 50).Draw(rt, "early of"))*time.Second))
		}
		table := &upserted{rows: map[string][]int{}}
		brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
			timed := operators.EventTime(parts.Stream(), stampedAt, operators.OutOfOrderness(time.Duration(jitter)*time.Second))
			rows := operators.Tap(timed, func(stamped) error { return disturb() })
			results := operators.Window(rows, w.windows(), timeOfStamped, stampedKey, noTimes, addNumber, opts...)
			return rxcql.New(results, sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
				return table.upsert(r)
			}, sink.Idempotent(), sink.InFlight(1)), more...)
		})
		require.Equal(rt, w.of(slices.Concat(parts.Rows...)), table.rows)
	})
}

func TestJobsWithWindowAdjacentOfAnySizeEndWithTheTableOfOneThatWasNotBrokenOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWindows(rt)
		parts := inOrder(rt, rapid.Bool().Draw(rt, "down"))
		moveBack(parts, rapid.SampledFrom([]int{0, 7, 1_000_000_000, 62_000_000_000}).Draw(rt, "back"))
		table := &upserted{rows: map[string][]int{}}
		brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
			rows := operators.Tap(parts.Stream(), func(stamped) error { return disturb() })
			results := operators.WindowAdjacent(rows, w.windows(), timeOfStamped, stampedKey, noTimes, addNumber)
			return rxcql.New(results, sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
				return table.upsert(r)
			}, sink.Idempotent(), sink.InFlight(1)), more...)
		})
		require.Equal(rt, w.of(slices.Concat(parts.Rows...)), table.rows)
	})
}
