// Command aggregate folds every partition of a table into one row of another: the busiest
// hour of each station, from its trips.
//
// Look at GroupAdjacent in run. A source reads a partition from its first row to its last, so
// no more is held than one state for each token range that is being read, however many trips
// there are. The state is a map here: the seed is a function that makes each station its own.
package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/examples/internal/scratch"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Trip struct {
	Station string `cql:"station"`
	ID      int    `cql:"id"`
	Hour    int    `cql:"hour"`
}

type Busiest struct {
	Station string `cql:"station"`
	Hour    int    `cql:"hour"`
	Trips   int    `cql:"trips"`
	OfTrips int64  `cql:"of_trips"`
}

func main() {
	scratch.Main(run, "trips (station text, id int, hour int, PRIMARY KEY (station, id))",
		"busiest (station text PRIMARY KEY, hour int, trips int, of_trips bigint)")
}

func run(ctx context.Context, p *scratch.Place) error {
	if err := scratch.Fill(ctx, p, "trips", 6000, trip); err != nil {
		return err
	}
	byStation := operators.GroupAdjacent(source.Table[Trip](p.Session, p.Table("trips")),
		func(t Trip) string { return t.Station },
		func() map[int]int { return map[int]int{} }, // trips of each hour
		func(hours map[int]int, t Trip) (map[int]int, error) { hours[t.Hour]++; return hours, nil })
	job, err := rxcql.New(operators.Map(byStation, busiest), sink.Table[Busiest](p.Session, p.Table("busiest")))
	if err != nil {
		return err
	}
	if _, err := job.Run(ctx); err != nil {
		return err
	}
	found, err := source.Table[Busiest](p.Session, p.Table("busiest")).Collect(ctx)
	slices.SortFunc(found, func(a, b Busiest) int { return cmp.Compare(a.Station, b.Station) })
	for _, b := range found {
		fmt.Printf("%s: %d of %d trips begin after %d o'clock\n", b.Station, b.Trips, b.OfTrips, b.Hour)
	}
	return err
}

func busiest(g operators.Group[string, map[int]int]) (Busiest, error) {
	b := Busiest{Station: g.Key, OfTrips: g.Rows}
	for hour := range 24 {
		if trips := g.Value[hour]; trips > b.Trips {
			b.Hour, b.Trips = hour, trips
		}
	}
	return b, nil
}

// trip begins at any hour, but every fifth one at seven, eight or nine, by station.
func trip(i int) Trip {
	hour := []int{7 + i%3, i / 3 % 24}[min(i%5, 1)]
	return Trip{Station: []string{"Central", "Harbour", "Market"}[i%3], ID: i, Hour: hour}
}
