package operators_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// sample is a measurement.
type sample struct {
	sensor  string
	minute  int
	celsius float64
}

func (s sample) at() (time.Time, error) {
	return time.Date(2026, 1, 1, 0, s.minute, 0, 0, time.UTC), nil
}

func timeOfSample(s sample) time.Time { at, _ := s.at(); return at }

func sensor(s sample) string { return s.sensor }

func coldest() float64 { return math.Inf(-1) }

func warmest(most float64, s sample) (float64, error) { return max(most, s.celsius), nil }

func showMax(r operators.WindowResult[string, float64]) (string, error) {
	return fmt.Sprintf("%s %s-%s: %v", r.Key, r.Start.Format("15:04"), r.End.Format("15:04"), r.Value), nil
}

func ExampleWindow() {
	samples := from(sample{"roof", 1, 20}, sample{"cellar", 3, 11}, sample{"roof", 12, 22}, sample{"roof", 9, 21}, sample{"roof", 31, 19})
	timed := operators.EventTime(samples, sample.at, operators.OutOfOrderness(5*time.Minute))
	perQuarter := operators.Window(timed, operators.Tumbling(15*time.Minute), timeOfSample, sensor, coldest, warmest,
		operators.WindowKeys(10_000))
	show(operators.Map(perQuarter, showMax))
	// Output:
	// [roof 00:00-00:15: 22 cellar 00:00-00:15: 11 roof 00:30-00:45: 19]
}

func ExampleSession() {
	samples := from(sample{"roof", 1, 20}, sample{"roof", 3, 25}, sample{"roof", 20, 18})
	whileOn := operators.Window(samples, operators.Session(10*time.Minute), timeOfSample, sensor, coldest, warmest,
		operators.WindowKeys(10_000), operators.MergeStates(func(a, b float64) (float64, error) { return math.Max(a, b), nil }))
	show(operators.Map(whileOn, showMax))
	// Output:
	// [roof 00:01-00:13: 25 roof 00:20-00:30: 18]
}

// Results go to one sink, and rows that come too late to another. Both may be tables.
func ExampleWindowWithLate() {
	samples := source.Seq(func(yield func(sample, error) bool) {
		for _, s := range []sample{{"roof", 1, 20}, {"roof", 40, 19}, {"roof", 2, 23}} {
			if !yield(s, nil) {
				return
			}
		}
	}, source.PageRows(1))
	timed := operators.EventTime(samples, sample.at)
	out := operators.WindowWithLate(timed, operators.Tumbling(15*time.Minute), timeOfSample, sensor, coldest, warmest,
		operators.WindowKeys(10_000))

	type Out = operators.WindowOrLate[sample, string, float64]
	results := func(in rxcql.Stream[Out]) rxcql.Stream[string] {
		return operators.Map(in, func(o Out) (string, error) { return showMax(o.Window) })
	}
	lateRows := func(in rxcql.Stream[Out]) rxcql.Stream[sample] {
		return operators.Map(in, func(o Out) (sample, error) { return o.Row, nil })
	}
	_, err := rxcql.Run(context.Background(), out, sink.Route(func(o Out) int {
		if o.IsLate {
			return 1
		}
		return 0
	},
		sink.Through(results, sink.Each(func(_ context.Context, result string) error {
			fmt.Println(result)
			return nil
		}, sink.InFlight(1))),
		sink.Through(lateRows, sink.Each(func(_ context.Context, s sample) error {
			fmt.Println("late:", s.sensor, s.minute)
			return nil
		}, sink.InFlight(1)))))
	if err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// roof 00:00-00:15: 20
	// late: roof 2
	// roof 00:30-00:45: 19
}

func ExampleWindowAdjacent() {
	table := from(sample{"cellar", 3, 11}, sample{"cellar", 20, 12}, sample{"roof", 1, 20}, sample{"roof", 9, 21}) // in order of sensor and time
	perQuarter := operators.WindowAdjacent(table, operators.Tumbling(15*time.Minute), timeOfSample, sensor, coldest, warmest)
	show(operators.Map(perQuarter, showMax))
	// Output:
	// [cellar 00:00-00:15: 11 cellar 00:15-00:30: 12 roof 00:00-00:15: 21]
}
