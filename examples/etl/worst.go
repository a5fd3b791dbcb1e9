package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

const (
	worstRoutes = 10
	// leastFlights keeps routes out whose mean says nothing.
	leastFlights = 50
)

// worst reads table routes and returns the routes with the largest mean delay,
// the worst first.
func (j *job) worst(ctx context.Context) ([]Route, error) {
	var worst []Route
	routes := source.Table[Route](j.session, j.opts.table("routes"))
	for route, err := range routes.All(ctx, rxcql.WithBudget(j.opts.budget), rxcql.WithWorkers(j.opts.workers)) {
		if err != nil {
			return nil, fmt.Errorf("read the routes: %w", err)
		}
		if route.Flights < leastFlights {
			continue
		}
		at, _ := slices.BinarySearchFunc(worst, route, byMeanDelay)
		if at < worstRoutes {
			worst = slices.Insert(worst, at, route)
			worst = worst[:min(len(worst), worstRoutes)]
		}
	}
	return worst, nil
}

// byMeanDelay orders the worst first: of two with the same mean the one with
// more flights, then by name, so that the order is the same every time.
func byMeanDelay(a, b Route) int {
	return cmp.Or(
		cmp.Compare(b.DelayMean, a.DelayMean),
		cmp.Compare(b.Flights, a.Flights),
		cmp.Compare(a.Origin, b.Origin),
		cmp.Compare(a.Destination, b.Destination),
	)
}
