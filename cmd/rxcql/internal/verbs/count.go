package verbs

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/transfer"
)

func (s *shared) count() *cobra.Command {
	v := s.verb(&cobra.Command{
		Use:   "count TABLE|KEYSPACE...",
		Short: "count rows and partitions, and find the largest partitions",
		Long: `count reads the keys of tables by token ranges, and says how many rows and partitions there are.
Rows that are written or deleted meanwhile may be counted or not.`,
		Example: `  rxcql count shop --hosts 10.0.0.1
  rxcql count shop.orders --largest 20 --sizes
  rxcql count shop.orders --by-range --json -`,
		Args: cobra.MinimumNArgs(1),
	})
	var ranges, sizes bool
	var largest int
	v.own.BoolVar(&sizes, "sizes", false, "add the bytes of values; all columns are read then")
	v.own.IntVar(&largest, "largest", 0, "name the `n` largest partitions; the values of their keys are then in the report")
	v.own.BoolVar(&ranges, "by-range", false, "add what each range of tokens has")
	v.readsOnly = true
	v.tasks = func(ctx context.Context, r *run, args []string) ([]fleet.Task, error) {
		found, err := r.find(ctx, "", args)
		if err != nil {
			return nil, err
		}
		return each(found, func(f tables.Found) (fleet.Task, error) {
			p := r.place(f.String(), f.String())
			var opts []transfer.CountOption
			all, byRange := r.options(p)
			for _, o := range all {
				opts = append(opts, o)
			}
			for _, o := range byRange {
				opts = append(opts, o)
			}
			opts = append(opts, transfer.CountLargest(largest))
			if sizes {
				opts = append(opts, transfer.CountSizes())
			}
			if ranges {
				opts = append(opts, transfer.CountRanges())
			}
			job, err := transfer.Count(transfer.Table{Session: r.sessions[""], Name: f.String()}, opts...)
			return task(f.String(), p.name, r.kept(p, []watched{{"", f.Name, kept.Subject}}, nil, nil), countJob{job}, err)
		})
	}
	return v.command()
}

type countJob struct{ *transfer.CountJob }

func (j countJob) Run(ctx context.Context) (fleet.Result, error) {
	r, err := j.CountJob.Run(ctx)
	out, err := result(r.Run, r, r.String(), err)
	out.Written = 0 // the rows that went into the numbers
	return out, err
}

// result is the result of a job that is one pipeline, by its report, that of the verb, and its
// error. Parts that could not be read are left, and have failed nothing, if all else is done.
func result(run rxcql.Report, verbs any, text string, err error) (fleet.Result, error) {
	if _, alone := err.(*rxcql.UnreadError); alone { //nolint:errorlint // an error around it says that more is wrong
		err = nil
	}
	return fleet.Result{
		Complete: run.Complete, Left: leftOut(run), Report: verbs, Text: text,
		Read: run.ReadRows + run.ResumedRows, Written: run.Written, Retried: run.Retried, Begun: run.Ranges > 0, Resumed: run.ResumedRows > 0,
	}, err
}
