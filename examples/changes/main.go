// Command changes applies a stream of changes to a table: some rows are upserted, others
// deleted.
//
// Look at the Route in run. It writes each change into one of two sinks of one table: the
// first takes the upserts, the second the deletes (sink.Delete). They apply the changes in the
// order of the stream: of two changes of one key the later wins, whichever sink it goes to.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/examples/internal/scratch"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Change struct {
	ID      int    `cql:"id"`
	Status  string `cql:"status"`
	Deleted bool   // no column
}

func main() { scratch.Main(run, "orders (id int PRIMARY KEY, status text)") }

func run(ctx context.Context, p *scratch.Place) error {
	want := map[int]string{} // what the table should have in the end
	job, err := rxcql.New(source.Seq(changes(want)), sink.Route(
		func(c Change) int {
			if c.Deleted {
				return 1
			}
			return 0
		},
		sink.Table[Change](p.Session, p.Table("orders")),
		sink.Table[Change](p.Session, p.Table("orders"), sink.Delete())))
	if err != nil {
		return err
	}
	report, err := job.Run(ctx)
	if err != nil {
		return err
	}
	got := map[int]string{}
	for row, err := range source.Table[Change](p.Session, p.Table("orders")).All(ctx) {
		if err != nil {
			return err
		}
		got[row.ID] = row.Status
	}
	fmt.Printf("%d changes of 100 orders, %d of which are left\n", report.ReadRows, len(got))
	if !maps.Equal(want, got) {
		return errors.New("the table is not what the changes make of it")
	}
	return nil
}

// changes are 3,000 changes; each is made in the map too.
func changes(table map[int]string) func(yield func(Change, error) bool) {
	return func(yield func(Change, error) bool) {
		for i := range 3000 {
			c := Change{ID: i * 37 % 100, Status: fmt.Sprint("version ", i), Deleted: i%7 == 0}
			if table[c.ID] = c.Status; c.Deleted {
				delete(table, c.ID)
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}
