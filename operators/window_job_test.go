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

// stamped is a row with a number of its own.
type stamped struct{ number, key, at int }

func stampedAt(r stamped) (time.Time, error) { return time.Unix(int64(r.at), 0), nil }

func timeOfStamped(r stamped) time.Time { return time.Unix(int64(r.at), 0) }

func stampedKey(r stamped) int { return r.key }

func addNumber(all []int, r stamped) ([]int, error) { return append(all, r.number), nil }

// stampedParts are parts whose rows come at most by jitter out of order, and then far too late
// ones.
func stampedParts(rt *rapid.T, jitter int, tooLate bool) *jobtest.Parts[stamped] {
	p := &jobtest.Parts[stamped]{
		PageRows: rapid.IntRange(1, 7).Draw(rt, "page"), Seed: rapid.Uint64().Draw(rt, "order"), Empty: rapid.Bool().Draw(rt, "empty pages"),
	}
	number := 0
	for range rapid.IntRange(1, 3).Draw(rt, "parts") {
		rows := []stamped{}
		at := rapid.IntRange(-20, 20).Draw(rt, "begins")
		for range rapid.IntRange(0, 60).Draw(rt, "rows") {
			number++
			at += rapid.SampledFrom([]int{0, 0, 1, 2, 5, 6, 20}).Draw(rt, "step")
			r := stamped{number, rapid.IntRange(0, 3).Draw(rt, "key"), at + rapid.IntRange(0, jitter).Draw(rt, "jitter")}
			if tooLate && rapid.IntRange(0, 9).Draw(rt, "too late") == 0 {
				r.at -= 60
			}
			rows = append(rows, r)
		}
		p.Rows = append(p.Rows, rows)
	}
	return p
}

// windowsOf are the windows that rows are in, by looking at all of them.
func windowsOf(rows []stamped, kind string) map[string][]int {
	all := map[string][]int{}
	add := func(r stamped, start, end int) {
		name := fmt.Sprint(r.key, " ", start, "-", end)
		all[name] = append(all[name], r.number)
		slices.Sort(all[name])
	}
	switch kind {
	case "Session":
		for key := range 4 {
			var of []stamped
			for _, r := range rows {
				if r.key == key {
					of = append(of, r)
				}
			}
			slices.SortFunc(of, func(a, b stamped) int { return a.at - b.at })
			for i := 0; i < len(of); {
				j := i + 1
				for j < len(of) && of[j].at-of[j-1].at < 6 {
					j++
				}
				for _, r := range of[i:j] {
					add(r, of[i].at, of[j-1].at+6)
				}
				i = j
			}
		}
	default:
		size, every := 10, 10
		switch kind {
		case "Hopping":
			size, every = 15, 5
		case uneven:
			size, every = 13, 5
		}
		for _, r := range rows {
			for start := -every * 400; start <= r.at; start += every { // times go down to -620
				if start+size > r.at {
					add(r, start, start+size)
				}
			}
		}
	}
	return all
}

// uneven are hopping windows whose size is no multiple of every: rows are in two or in three.
const uneven = "Hopping, uneven"

func jobWindows(kind string) (operators.Windows, []operators.WindowOption) {
	keys := operators.WindowKeys(1 << 20)
	switch kind {
	case "Session":
		return operators.Session(6 * time.Second), []operators.WindowOption{keys, operators.MergeStates(bothTimes)}
	case "Hopping":
		return operators.Hopping(15*time.Second, 5*time.Second), []operators.WindowOption{keys}
	case uneven:
		return operators.Hopping(13*time.Second, 5*time.Second), []operators.WindowOption{keys}
	}
	return operators.Tumbling(10 * time.Second), []operators.WindowOption{keys}
}

func TestAJobWithWindowsThatIsBrokenOffEndsWithTheTableOfOneThatIsNot(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", uneven, "Session"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				const jitter = 4
				parts := stampedParts(rt, jitter, false)
				windows, opts := jobWindows(kind)
				if rapid.Bool().Draw(rt, "lateness") {
					opts = append(opts, operators.AllowedLateness(7*time.Second))
				}
				if rapid.Bool().Draw(rt, "early") && kind != "Session" { // whose ends move
					opts = append(opts, operators.EarlyResults(3*time.Second))
				}
				table := &upserted{rows: map[string][]int{}}
				brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
					timed := operators.EventTime(parts.Stream(), stampedAt, operators.OutOfOrderness(jitter*time.Second))
					rows := operators.Tap(timed, func(stamped) error { return disturb() })
					results := operators.Window(rows, windows, timeOfStamped, stampedKey, noTimes, addNumber, opts...)
					return rxcql.New(results, sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
						return table.upsert(r)
					}, sink.Idempotent(), sink.InFlight(1)), more...)
				})
				require.Equal(rt, windowsOf(slices.Concat(parts.Rows...), kind), table.rows)
			})
		})
	}
}

func TestInAJobEveryRowIsInAResultOrGivenAsLate(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Session"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				parts := stampedParts(rt, 6, true)
				windows, opts := jobWindows(kind)
				table := &upserted{rows: map[string][]int{}, late: map[int]bool{}}
				type out = operators.WindowOrLate[stamped, int, []int]
				brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
					timed := operators.EventTime(parts.Stream(), stampedAt, operators.OutOfOrderness(2*time.Second))
					rows := operators.Tap(timed, func(stamped) error { return disturb() })
					results := operators.WindowWithLate(rows, windows, timeOfStamped, stampedKey, noTimes, addNumber, opts...)
					return rxcql.New(results, sink.Each(func(_ context.Context, o out) error {
						if !o.IsLate {
							return table.upsert(o.Window)
						}
						table.mu.Lock()
						defer table.mu.Unlock()
						if table.calls++; table.calls == table.fails {
							return errSink
						}
						table.late[o.Row.number] = true
						return nil
					}, sink.Idempotent(), sink.InFlight(1)), more...)
				})
				in := map[int]bool{}
				for _, numbers := range table.rows {
					for _, n := range numbers {
						in[n] = true
					}
				}
				for _, r := range slices.Concat(parts.Rows...) {
					require.True(rt, in[r.number] || table.late[r.number], "%+v is in no result, and was not given as late", r)
				}
			})
		})
	}
}
