// Command copy copies a table into another one as a job with a checkpoint.
//
// Look at job: rows are rxcql.Row, columns as Cassandra sent them, so nothing is decoded and
// a column's type may be anything; WithCheckpoint names the file in which the job's
// positions are saved, every second and at the end. With RunOnce the second run finds the
// job complete, and reads and writes nothing. How a job that was killed goes on is shown by
// examples/resume.
package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/examples/internal/scratch"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Order is a row of both tables.
type Order struct {
	Shop string            `cql:"shop"`
	ID   int               `cql:"id"`
	Tags map[string]string `cql:"tags"`
}

func main() {
	const columns = " (shop text, id int, tags map<text, text>, PRIMARY KEY (shop, id))"
	scratch.Main(run, "orders"+columns, "archive"+columns)
}

func run(ctx context.Context, p *scratch.Place) error {
	if err := scratch.Fill(ctx, p, "orders", 5000, order); err != nil {
		return err
	}
	for _, name := range []string{"first", "second"} {
		report, err := job(ctx, p, filepath.Join(p.Folder, "orders.checkpoint"))
		if err != nil {
			return err
		}
		fmt.Printf("%s run: %d rows read, %d written, %d done before; complete: %t\n",
			name, report.ReadRows, report.Written, report.ResumedRows, report.Complete)
	}
	copied, err := source.Table[rxcql.Row](p.Session, p.Table("archive")).Count(ctx)
	fmt.Printf("the archive has %d orders\n", copied)
	return err
}

// job copies all orders, or those that are left of an earlier run.
func job(ctx context.Context, p *scratch.Place, file string) (rxcql.Report, error) {
	orders := source.Table[rxcql.Row](p.Session, p.Table("orders"))
	archive := sink.Table[rxcql.Row](p.Session, p.Table("archive"))
	pipeline, err := rxcql.New(orders, archive, rxcql.WithCheckpoint(checkpoint.File(file), "archive the orders", rxcql.RunOnce()))
	if err != nil {
		return rxcql.Report{}, err
	}
	return pipeline.Run(ctx)
}

func order(i int) Order {
	return Order{Shop: fmt.Sprint("shop ", i%40), ID: i, Tags: map[string]string{"colour": "green"}}
}
