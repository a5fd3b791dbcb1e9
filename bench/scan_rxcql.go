package main

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// scanToolkit is the same work as scanHand.
var scanToolkit = register("scan-rxcql", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		events := source.Table[event](session, j.Keyspace+"."+j.Table)
		return consume(ctx, events, rxcql.WithWorkers(scanWorkers))
	}, session.Close, nil
})

// consume puts the three operators behind a stream of events and counts what
// comes out.
func consume(ctx context.Context, events rxcql.Stream[event], opts ...rxcql.Option) (tally, error) {
	readings := operators.Map(events, readingOf)
	kept := operators.Filter(readings, wanted)
	points := operators.Map(kept, pointOf)
	var t tally
	_, err := points.ForEach(ctx, func(p point) error {
		t.count(p)
		return nil
	}, opts...)
	return t, err
}
