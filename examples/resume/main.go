// Command resume kills a job in the middle of its work, as kill -9 would, and goes on with it.
//
// It starts itself a second time (firstRun), to copy a table until some positions are saved, and
// kills that process. Then it runs the same job to its end. Look at the counts: what was done
// before is not read again, and the copy has every row.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/examples/internal/scratch"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func main() {
	if len(os.Args) > 1 {
		scratch.Join(os.Args[1], firstRun)
	} else {
		scratch.Main(run, "orders (id int PRIMARY KEY)", "archive (id int PRIMARY KEY)")
	}
}

func run(ctx context.Context, p *scratch.Place) error {
	if err := scratch.Fill(ctx, p, "orders", 20_000, func(i int) int { return i }, sink.Columns("id")); err != nil {
		return err
	}
	file := filepath.Join(p.Folder, "copy.checkpoint")
	if err := p.KillAfterALine(ctx, file); err != nil {
		return err
	}
	job, err := copyOrders(p, file, func(rxcql.Row) error { return nil })
	if err != nil {
		return err
	}
	report, err := job.Run(ctx)
	if err != nil {
		return err
	}
	copied, err := source.Table[rxcql.Row](p.Session, p.Table("archive")).Count(ctx)
	fmt.Printf("%d rows were done before, %d were read now, %d are in the copy\n", report.ResumedRows, report.ReadRows, copied)
	return err
}

func copyOrders(p *scratch.Place, file string, each func(rxcql.Row) error) (*rxcql.Pipeline, error) {
	orders := operators.Tap(source.Table[rxcql.Row](p.Session, p.Table("orders"), source.PageRows(100)), each)
	return rxcql.New(orders, sink.Table[rxcql.Row](p.Session, p.Table("archive")),
		rxcql.WithCheckpoint(checkpoint.File(file), "copy the orders", rxcql.CheckpointInterval(100*time.Millisecond)))
}

// firstRun is slow after 5,000 rows, and is killed when some of them are saved as done.
func firstRun(ctx context.Context, p *scratch.Place) (err error) {
	var job *rxcql.Pipeline
	rows, saves := 0, int64(-1)
	job, err = copyOrders(p, os.Args[2], func(rxcql.Row) error {
		if rows++; rows <= 5000 {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
		if now := job.Progress(); saves < 0 && now.PagesSettled > 20 {
			saves = now.Saves // the next one may have begun before
		} else if saves >= 0 && now.Saves >= saves+3 {
			fmt.Println("some of more than 5000 rows are saved as done")
			return scratch.WaitForTheEnd()
		}
		return nil
	})
	if err == nil {
		_, err = job.Run(ctx)
	}
	return err
}
