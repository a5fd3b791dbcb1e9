package operators_test

import (
	"context"
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

// between are ways from a source to its windows, and the rows that come there.
var between = map[string]struct {
	put   func(in rxcql.Stream[stamped]) rxcql.Stream[stamped]
	comes func(r stamped) []stamped
}{
	"nothing": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] { return in }, oneStamped},
	"a Filter": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return operators.Filter(in, func(r stamped) bool { return r.number%3 > 0 })
	}, func(r stamped) []stamped {
		if r.number%3 == 0 {
			return nil
		}
		return []stamped{r}
	}},
	"a FlatMap": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return operators.FlatMap(in, func(r stamped, emit func(stamped) bool) error {
			for _, each := range twoStamped(r) {
				emit(each)
			}
			return nil
		})
	}, twoStamped},
	"a Batch": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return unbatchedStamped(operators.Batch(in, operators.BatchRows(4)))
	}, oneStamped},
	"a Batch that lingers": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return unbatchedStamped(operators.Batch(in, operators.BatchRows(5), operators.BatchLinger(time.Millisecond)))
	}, oneStamped},
	"MapConcurrent": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return operators.MapConcurrent(in, 3, func(_ context.Context, r stamped) (stamped, error) { return r, nil })
	}, oneStamped},
	"Lanes": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return operators.Lanes(in, 3, stampedKey, func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
			return operators.Tap(in, func(stamped) error { return nil })
		})
	}, oneStamped},
	"a Buffer": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return operators.Buffer(in, 5, rxcql.OverflowBlock)
	}, oneStamped},
	"MergeSorted": {func(in rxcql.Stream[stamped]) rxcql.Stream[stamped] {
		return operators.MergeSorted(func(_, _ stamped) int { return 0 }, in)
	}, oneStamped},
}

func oneStamped(r stamped) []stamped { return []stamped{r} }

func twoStamped(r stamped) []stamped { return []stamped{r, {r.number + 100_000, r.key, r.at}} }

func unbatchedStamped(in rxcql.Stream[[]stamped]) rxcql.Stream[stamped] {
	return operators.FlatMap(in, func(rows []stamped, emit func(stamped) bool) error {
		for _, r := range rows {
			emit(r)
		}
		return nil
	})
}

func TestAJobWithWindowsBehindOthersThatIsBrokenOffEndsWithTheTableOfOneThatIsNot(t *testing.T) {
	names := []string{}
	for name := range between {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(rt *rapid.T) {
		const jitter = 4
		kind := rapid.SampledFrom([]string{"Tumbling", "Hopping", uneven, "Session"}).Draw(rt, "kind")
		way := between[rapid.SampledFrom(names).Draw(rt, "between")]
		a, b := stampedParts(rt, jitter, false), stampedParts(rt, jitter, false)
		a.Name, b.Name = "A", "B"
		for _, rows := range b.Rows {
			for i := range rows {
				rows[i].number += 10_000
			}
		}
		inputs := rapid.SampledFrom([]string{"one", "Merge", "Concat"}).Draw(rt, "inputs")
		inside := rapid.Bool().Draw(rt, "in a branch of a Tee")
		windows, opts := jobWindows(kind)
		if rapid.Bool().Draw(rt, "lateness") && kind != "Session" {
			opts = append(opts, operators.AllowedLateness(7*time.Second))
		}
		table := &upserted{rows: map[string][]int{}}
		brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
			timed := func(p *jobtest.Parts[stamped]) rxcql.Stream[stamped] {
				return operators.EventTime(p.Stream(), stampedAt, operators.OutOfOrderness(jitter*time.Second))
			}
			in := timed(a)
			switch inputs {
			case "Merge":
				in = operators.Merge(in, timed(b))
			case "Concat":
				in = operators.Concat(in, timed(b))
			}
			windowed := func(in rxcql.Stream[stamped]) rxcql.Stream[operators.WindowResult[int, []int]] {
				rows := operators.Tap(way.put(in), func(stamped) error { return disturb() })
				return operators.Window(rows, windows, timeOfStamped, stampedKey, noTimes, addNumber, opts...)
			}
			to := sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error { return table.upsert(r) }, sink.Idempotent(), sink.InFlight(1))
			if inside {
				all := sink.Each(func(context.Context, stamped) error { return nil }, sink.Idempotent(), sink.InFlight(3))
				return rxcql.New(in, sink.Tee(all, sink.Through(windowed, to)), more...)
			}
			return rxcql.New(windowed(in), to, more...)
		})
		all := slices.Concat(a.Rows...)
		if inputs != "one" {
			all = append(all, slices.Concat(b.Rows...)...)
		}
		var come []stamped
		for _, r := range all {
			come = append(come, way.comes(r)...)
		}
		require.Equal(rt, windowsOf(come, kind), table.rows)
	})
}
