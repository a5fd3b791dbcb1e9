package checkpoint_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A job that fails goes on, at its next run, behind the last page that was
// written as a whole.
func ExampleFile() {
	folder, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(folder)
	power := false
	job := func() (rxcql.Report, error) {
		numbers := source.SeqFrom("numbers", func(from int64) iter.Seq2[int64, error] {
			return func(yield func(int64, error) bool) {
				for n := from; n < 100 && yield(n, nil); n++ {
				}
			}
		}, source.PageRows(10))
		worked := operators.Map(numbers, func(n int64) (int64, error) {
			if n == 57 && !power {
				return 0, fmt.Errorf("a power cut at %d", n)
			}
			return n, nil
		})
		store := func(context.Context, int64) error { return nil } // which may happen twice
		p, err := rxcql.New(worked, sink.Each(store, sink.Idempotent()),
			rxcql.WithCheckpoint(checkpoint.File(filepath.Join(folder, "job.checkpoint")), "numbers"))
		check(err)
		return p.Run(context.Background())
	}
	report, err := job()
	fmt.Println(report.Written, report.Complete, err)
	power = true
	report, err = job()
	fmt.Println(report.ResumedRows, report.Written, report.Complete, err)
	// Output:
	// 50 false rxcql: stage Map: range all, page 5, row 7: a power cut at 57
	// 50 50 true <nil>
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
