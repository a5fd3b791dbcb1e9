package main

import (
	"context"
	"fmt"
	"math"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// lateAfter is from how many minutes on a flight counts as late: the Bureau's
// own measure.
const lateAfter = 15

// routes reads table flights by token ranges, folds it and writes table routes.
func (j *job) routes(ctx context.Context) (*rxcql.Report, error) {
	p, err := rxcql.New(
		byRoute(source.Table[Flight](j.session, j.opts.table("flights"))),
		sink.Table[Route](j.session, j.opts.table("routes")),
		j.pipelineOptions("fold")...)
	if err != nil {
		return nil, err
	}
	report, err := j.run(ctx, p, "Folding", func(rep rxcql.Report) string {
		return fmt.Sprintf("%s flights%s", thousands(rep.ReadRows), rate(rep.ReadRows, rep.Duration))
	})
	if err != nil {
		return &report, fmt.Errorf("fold the flights by route: %w", err)
	}
	j.out.printf("Folded      %s flights into %s routes in %.1f s%s; %s filtered%s\n", thousands(report.ReadRows),
		thousands(report.Written), report.Duration.Seconds(), rate(report.ReadRows, report.Duration), thousands(report.Filtered), resumed(report))
	return &report, nil
}

// byRoute makes one row of all flights of a route. They are one partition of
// the table and so come one after the other: what is held is one Route for each
// range being read, however many flights there are.
func byRoute(flights rxcql.Stream[Flight]) rxcql.Stream[Route] {
	credible := operators.Filter(flights, possible)
	folded := operators.GroupAdjacent(credible, Flight.airports, noFlights, Route.add)
	return operators.Map(folded, complete)
}

// airports are the partition key.
type airports struct{ origin, destination string }

func (f Flight) airports() airports { return airports{f.Origin, f.Destination} }

// noFlights is a route before its first flight.
func noFlights() Route { return Route{DelayMin: math.MaxInt32, DelayMax: math.MinInt32} }

// add counts a flight in.
func (r Route) add(f Flight) (Route, error) {
	r.Distance = f.Distance
	r.DelaySum += int64(f.Delay)
	r.DelayMin = min(r.DelayMin, f.Delay)
	r.DelayMax = max(r.DelayMax, f.Delay)
	if f.Delay >= lateAfter {
		r.Late++
	}
	return r, nil
}

// complete fills in what only the whole group tells.
func complete(g operators.Group[airports, Route]) (Route, error) {
	r := g.Value
	r.Origin, r.Destination, r.Flights = g.Key.origin, g.Key.destination, g.Rows
	r.DelayMean = float64(r.DelaySum) / float64(r.Flights)
	r.LateShare = float64(r.Late) / float64(r.Flights)
	return r, nil
}

// sameFlights refuses a result that other flights went into: those that another
// file left in the table before. A table that holds this file and no more has
// as many rows as were loaded.
func sameFlights(keyspace string, res *result) error {
	read, loaded := res.Run.ReadRows+res.Run.ResumedRows, res.Load.Written+res.Load.ResumedRows
	if read == loaded {
		return nil
	}
	return fmt.Errorf("table flights holds %s rows, but the file has %s: other flights are in keyspace %s, and in the routes now; "+
		"name another --keyspace, or drop this one", thousands(read), thousands(loaded), keyspace)
}
