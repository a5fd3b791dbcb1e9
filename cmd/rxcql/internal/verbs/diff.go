package verbs

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/transfer"
)

func (s *shared) diff() *cobra.Command {
	v := s.verb(&cobra.Command{
		Use:   "diff TABLE|KEYSPACE...",
		Short: "compare tables with those that they were copied to",
		Long: `diff reads the tables of both sides side by side and compares each value, and with --times write
times and expiry. Rows that differ are read again after a pause, so that writes in flight are told
from differences. The folder of --out gets, for each table, differences.ndjson (the key and the cause
of each row), ranges.ndjson (a checksum of each range of tokens) and report.json.

Causes: missing (at the target), extra (only at the target), differing, newer (at the target), tie
(written at one time, with other values), unstable (it still moves), unread (the servers cannot read
it).

A run that was interrupted goes on from the folder, where tables that it had compared to the end are
not compared again. Once a run has come to its end, the next one compares anew: what it had found is
moved to the folder "earlier" in that of --out.

What no tool can promise: a diff is no snapshot, so of rows that are written meanwhile it says what it
saw; and deletions are not copied and cannot be seen: a row that one side has may have been deleted at
the other, and after gc_grace_seconds nothing tells that from a row that never came.`,
		Example: `  rxcql diff shop --source-hosts 10.0.0.1 --target-hosts 10.1.0.1 --times --out diff
  rxcql diff shop.orders --to archive.orders --hosts 10.0.0.1 --leave-out notes --pause 0 --out diff`,
		Args: cobra.MinimumNArgs(1),
	}, source, target)
	var flags compareFlags
	var pauseOf pauses
	flags.add(v.own, "the `folder` for what is found, and for how far the run is")
	pauseOf.add(v.own)
	v.goesOnByItself()
	v.readsOnly = true
	v.tasks = func(ctx context.Context, r *run, args []string) ([]fleet.Task, error) {
		opts, err := flags.options()
		if err != nil {
			return nil, err
		}
		found, err := r.find(ctx, source, args)
		if err != nil {
			return nil, err
		}
		names, err := targets(found, flags.to)
		if err := errors.Join(err, r.apart(names)); err != nil {
			return nil, err
		}
		return each(found, func(f tables.Found) (fleet.Task, error) {
			return r.diffTask(f, names[f.Name], &flags, opts, pauseOf.options())
		})
	}
	return v.command()
}

func (r *run) diffTask(f tables.Found, to tables.Name, flags *compareFlags, compare []transfer.CompareOption, opts []transfer.DiffOption) (fleet.Task, error) {
	folder := r.folder(flags.out, f.String())
	for _, o := range compare {
		opts = append(opts, o)
	}
	if flags.times {
		opts = append(opts, transfer.WithTimes())
	}
	all, byRange := r.options(place{})
	for _, o := range all {
		opts = append(opts, o)
	}
	for _, o := range byRange {
		opts = append(opts, o)
	}
	job, err := transfer.Diff(transfer.Table{Session: r.sessions[source], Name: f.String()},
		transfer.Table{Session: r.sessions[target], Name: to.String()}, folder, opts...)
	name := fmt.Sprintf("diff %s and %s%s", f, to, r.verb.purpose())
	return task(f.String(), name, r.keptIn(folder, name, compared(f.Name, to, kept.Subject)), diffJob{job, folder}, err)
}

type diffJob struct {
	*transfer.DiffJob
	folder string
}

func (j diffJob) Run(ctx context.Context) (fleet.Result, error) {
	earlier, before := ended(j.folder), there(j.folder)
	r, err := j.DiffJob.Run(ctx)
	plainEach(r.Notes)
	out := fleet.Result{Complete: r.Complete, Read: r.SourceRows + r.TargetRows, Report: r, Text: r.String(), Earlier: earlier && r.Complete}
	out.Begun, out.Resumed = there(j.folder), before
	for _, part := range []struct {
		n     int64
		cause transfer.Cause
	}{
		{r.Missing, transfer.Missing}, {r.Extra, transfer.Extra}, {r.Differing, transfer.Differing}, {r.Newer, transfer.Newer},
		{r.Tie, transfer.Tie}, {r.Unstable, transfer.Unstable}, {r.Unread, transfer.Unread},
	} {
		if part.n > 0 {
			out.Left = append(out.Left, fmt.Sprintf("%s %s", show.Thousands(part.n), part.cause))
		}
	}
	if err == nil && r.Complete && !r.Equal() && len(out.Left) == 0 {
		err = errors.New("the sides are not equal, and the report does not say why")
	}
	return out, err
}
