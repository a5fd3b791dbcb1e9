// Command stream reads a query as a Go iterator and leaves it early: at the first reading
// above 30 degrees.
//
// Look at the loop in firstAbove. All reads as the loop goes on, page by page, and break
// ends the reading: of a hundred thousand rows few come out of Cassandra. What counts them
// is a Tap in between, which sees each page before the loop sees its first row.
package main

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/examples/internal/scratch"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

const rows = 100_000

// Reading is a row of the table.
type Reading struct {
	Sensor  string  `cql:"sensor"`
	Seq     int     `cql:"seq"`
	Celsius float64 `cql:"celsius"`
}

func main() {
	scratch.Main(run, "readings (sensor text, seq int, celsius double, PRIMARY KEY (sensor, seq))")
}

func run(ctx context.Context, p *scratch.Place) error {
	if err := scratch.Fill(ctx, p, "readings", rows, warming); err != nil {
		return err
	}
	kitchen := source.Query[Reading](p.Session, "SELECT sensor, seq, celsius FROM readings WHERE sensor = ?",
		source.Bind("kitchen"), source.PageRows(100))
	came := 0
	found, err := firstAbove(ctx, operators.Tap(kitchen, func(Reading) error { came++; return nil }), 30)
	if err != nil {
		return err
	}
	fmt.Printf("reading %d of sensor %s is the first above 30: %.2f degrees\n", found.Seq, found.Sensor, found.Celsius)
	fmt.Printf("%d of %d rows came, in pages of 100\n", came, rows)
	return nil
}

// firstAbove finds the first reading above so many degrees.
func firstAbove(ctx context.Context, readings rxcql.Stream[Reading], celsius float64) (Reading, error) {
	for reading, err := range readings.All(ctx) {
		if err != nil {
			return Reading{}, err
		}
		if reading.Celsius > celsius {
			return reading, nil // what is a break here closes the query
		}
	}
	return Reading{}, fmt.Errorf("no reading above %g degrees", celsius)
}

// warming is a sensor that gets warmer by a hundredth of a degree each time.
func warming(i int) Reading { return Reading{Sensor: "kitchen", Seq: i, Celsius: 20 + float64(i)/100} }
