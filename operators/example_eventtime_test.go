package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// Windows and other stages behind it learn how far event time is: 30 s behind the latest reading.
func ExampleEventTime() {
	type reading struct {
		sensor string
		at     time.Time
	}
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	readings := source.Seq(func(yield func(reading, error) bool) {
		_ = yield(reading{"a", noon}, nil) &&
			yield(reading{"b", noon.Add(2 * time.Minute)}, nil) &&
			yield(reading{"a", noon.Add(time.Minute)}, nil)
	}, source.PageRows(2))
	timed := operators.EventTime(readings,
		func(r reading) (time.Time, error) { return r.at, nil },
		operators.OutOfOrderness(30*time.Second))
	var clock flow.EventClock // as a stage that waits for event time has it
	watched := rxcql.Lift(timed, rxcql.StageInfo{Name: "Watch", OneToOne: true},
		func(_ *rxcql.Stage, out flow.Observer[reading]) flow.Observer[reading] {
			return &watch[reading]{out, func(p *flow.Page[reading]) {
				clock.Add(p.Advance())
				fmt.Println(len(p.Rows), "rows, event time is at", clock.Now())
			}}
		})
	_, err := watched.Count(context.Background())
	fmt.Println(err)
	// Output:
	// 2 rows, event time is at 2026-06-01T12:01:30Z
	// 1 rows, event time is at forever
	// <nil>
}

// watch looks at pages.
type watch[T any] struct {
	flow.Observer[T]
	look func(p *flow.Page[T])
}

func (w *watch[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	w.look(p)
	return w.Observer.Next(ctx, p)
}
