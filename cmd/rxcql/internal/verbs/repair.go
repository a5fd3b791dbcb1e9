package verbs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/transfer"
)

// repairFlags are the flags of repair.
type repairFlags struct {
	compareFlags
	from, file               string
	bump, deleteExtra, lossy bool
}

func (s *shared) repair() *cobra.Command {
	v := s.verb(&cobra.Command{
		Use:   "repair [TABLE|KEYSPACE...]",
		Short: "put right what diff has found, and nothing else",
		Long: `repair writes the rows that a diff has found, or that a file of keys or ranges names, at the write
times and with the expiry of the source. It never writes over newer data, and deletes nothing unless
--delete-extra is given. Each row is read again before, and read back after: outcomes.ndjson in the
folder of --out says what became of it. A row that was deleted at the target later than the source has
written it is reported as shadowed, and is not repaired.

Without tables it works on all of the folder of --from. Give the same --to, --times, --rename and
--leave-out as to the diff.

What no tool can promise: a repair is no snapshot, so rows that are written meanwhile may differ again;
deletions are not copied; and a repair after gc_grace_seconds may bring rows back that were deleted.`,
		Example: `  rxcql repair --from diff --out repair --times --source-hosts 10.0.0.1 --target-hosts 10.1.0.1
  rxcql repair shop.orders --file keys.ndjson --out repair --hosts 10.0.0.1 --to archive`,
	}, source, target)
	var flags repairFlags
	v.own.StringVar(&flags.from, "from", "", "the `folder` of a diff (its --out)")
	v.own.StringVar(&flags.file, "file", "", `a `+"`file`"+` instead, for one table: lines of {"key":{"id":7}} or {"range":[-100,250]}`)
	flags.add(v.own, "the `folder` for what became of each row, and for how far the run is")
	v.own.BoolVar(&flags.bump, "bump", false, "settle ties: write the source's value, a microsecond later than both were written")
	v.own.BoolVar(&flags.deleteExtra, "delete-extra", false, "delete what only the target has, at the write time that is read there")
	v.own.BoolVar(&flags.lossy, "lossy", false, "repair values too of which the source cannot say the write times, at those of their row")
	v.goesOnByItself("shard", "splits")
	v.tasks = func(ctx context.Context, r *run, args []string) ([]fleet.Task, error) {
		return r.repairTasks(ctx, args, &flags)
	}
	return v.command()
}

func (r *run) repairTasks(ctx context.Context, args []string, flags *repairFlags) ([]fleet.Task, error) {
	opts, err := flags.options()
	errs := []error{err}
	switch {
	case (flags.from == "") == (flags.file == ""):
		errs = append(errs, errors.New("give --from, the folder of a diff, or --file, a file of keys"))
	case flags.from != "" && filepath.Clean(flags.from) == filepath.Clean(flags.out):
		errs = append(errs, errors.New("--out is the folder of --from: give another one"))
	case len(args) == 0 && flags.from != "":
		args, err = diffed(flags.from)
		errs = append(errs, err)
	case len(args) == 0:
		errs = append(errs, errors.New("--file: name the table that the keys are of"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	found, err := r.find(ctx, source, args)
	if err != nil {
		return nil, err
	}
	if flags.file != "" && len(found) > 1 {
		return nil, fmt.Errorf("--file is of one table, and there are %d", len(found))
	}
	names, err := targets(found, flags.to)
	if err := errors.Join(err, r.apart(names)); err != nil {
		return nil, err
	}
	return each(found, func(f tables.Found) (fleet.Task, error) { return r.repairTask(f, names[f.Name], flags, opts) })
}

// differences is the file of a diff, in the folder of a table.
const differences = "differences.ndjson"

// diffed returns the tables that the folder of a diff has.
func diffed(folder string) (all []string, err error) {
	var wrong []error
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == kept.Earlier {
			continue
		}
		name, err := url.PathUnescape(e.Name())
		var n tables.Name
		if err == nil {
			n, err = tables.Parse(name)
		}
		if err != nil || n.Table == "" {
			wrong = append(wrong, fmt.Errorf("--from %s: %s is not the diff of a whole table: repair reads no shares; "+
				"name the tables to repair, or run their diff without --shard", folder, e.Name()))
			continue
		}
		all = append(all, name)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("--from %s: it has no folder of a table: is it the --out of a diff?", folder)
	}
	return all, nil
}

func (r *run) repairTask(f tables.Found, to tables.Name, flags *repairFlags, compare []transfer.CompareOption) (fleet.Task, error) {
	folder := r.folder(flags.out, f.String())
	file := flags.file
	if file == "" {
		of := filepath.Join(flags.from, url.PathEscape(f.String()))
		file = filepath.Join(of, differences)
		if !ended(of) {
			return fleet.Task{}, fmt.Errorf("%s: %s has no diff of it that is complete: run that diff to its end first", f, flags.from)
		}
	}
	var opts []transfer.RepairOption
	for _, o := range compare {
		opts = append(opts, o)
	}
	if flags.times {
		opts = append(opts, transfer.WithTimes())
	}
	for on, o := range map[*bool]transfer.RepairOption{
		&flags.bump: transfer.Bump(), &flags.deleteExtra: transfer.DeleteExtra(), &flags.lossy: transfer.Lossy(),
	} {
		if *on {
			opts = append(opts, o)
		}
	}
	all, _ := r.options(place{})
	for _, o := range all {
		opts = append(opts, o)
	}
	job, err := transfer.Repair(transfer.Table{Session: r.sessions[source], Name: f.String()},
		transfer.Table{Session: r.sessions[target], Name: to.String()}, file, folder, opts...)
	name := fmt.Sprintf("repair %s from %s%s", to, f, r.verb.purpose())
	return task(f.String(), name, r.keptIn(folder, name, compared(f.Name, to, kept.Goal)), repairJob{job, folder}, err)
}

type repairJob struct {
	*transfer.RepairJob
	folder string
}

func (j repairJob) Run(ctx context.Context) (fleet.Result, error) {
	earlier, before := ended(j.folder), there(j.folder)
	r, err := j.RepairJob.Run(ctx)
	plainEach(r.Notes)
	out := fleet.Result{Complete: r.Complete, Written: r.Written, Report: r, Text: r.String(), Earlier: earlier && r.Complete}
	out.Begun, out.Resumed = there(j.folder), before
	out.Read = r.Written + r.Equal + r.Left + r.Shadowed + r.Remaining + r.Moving + r.Unreadable
	for _, part := range []struct {
		n    int64
		what string
	}{
		{r.Left, "left as they are"}, {r.Shadowed, "shadowed by a deletion at the target"}, {r.Remaining, "still different"},
		{r.Moving, "still moving"}, {r.Unreadable, "unread"},
	} {
		if part.n > 0 {
			out.Left = append(out.Left, fmt.Sprintf("%s %s", show.Thousands(part.n), part.what))
		}
	}
	if err == nil && r.Complete && !r.Repaired() && len(out.Left) == 0 {
		err = errors.New("not all is repaired, and the report does not say why")
	}
	return out, err
}
