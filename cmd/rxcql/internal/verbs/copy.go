package verbs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/transfer"
)

// The sides of verbs that work on two.
const (
	source = "source"
	target = "target"
)

// copyFlags are the flags of copy.
type copyFlags struct {
	to                             string
	create, times, lossy, counters bool
	rename                         []string
	drop                           []string
	constant                       []string
	markers, markerTime            string
}

func (c *copyFlags) add(set *pflag.FlagSet) {
	set.StringVar(&c.to, "to", "", "the `keyspace` to copy into, or for one table that table (default: the same names)")
	set.BoolVar(&c.create, "create", false, "make what is missing at the target: types, tables with their options, and indexes; the keyspace must exist")
	set.BoolVar(&c.times, "times", false, "keep the write time and the expiry of each value; what is newer at the target stays")
	set.BoolVar(&c.lossy, "lossy", false, "go on where values or expiry would not arrive as they are: with --times, values whose times cannot be read; masked columns")
	set.BoolVar(&c.counters, "counters", false, "copy tables of counters too; their targets must be empty, and such a copy cannot go on")
	set.StringArrayVar(&c.rename, "rename", nil, "`old=new`: copy a column to one of another name; for one table, as often as needed")
	set.StringSliceVar(&c.drop, "drop", nil, "`columns` to leave out; for one table")
	set.StringArrayVar(&c.constant, "constant", nil, "`column=value`, or 'column type=value' for a column that --create makes: the value in every row; for one table, as often as needed")
	set.StringVar(&c.markers, "markers", "guessed", "with --times: guessed gives each row a marker at its newest write time, none leaves it out, as UPDATE does")
	set.StringVar(&c.markerTime, "marker-time", "", "with --times: the write `time` of rows of keys alone, as 2006-01-02T15:04:05Z (default: the start of the run)")
}

// options returns the options that the flags say, for tables of counters and for others.
func (c *copyFlags) options(counter bool) (opts []transfer.CopyOption, err error) {
	var errs []error
	if c.create {
		opts = append(opts, transfer.Create())
	}
	if counter && c.counters {
		opts = append(opts, transfer.Counters())
	}
	for _, r := range c.rename {
		old, name, found := strings.Cut(r, "=")
		if !found || old == "" || name == "" {
			errs = append(errs, fmt.Errorf("--rename %q: must be old=new", r))
			continue
		}
		opts = append(opts, transfer.Rename(old, name))
	}
	if len(c.drop) > 0 {
		opts = append(opts, transfer.Drop(c.drop...))
	}
	for _, each := range c.constant {
		left, value, found := strings.Cut(each, "=")
		name, cqlType, _ := strings.Cut(strings.TrimSpace(left), " ")
		if !found || name == "" {
			errs = append(errs, errors.New("--constant: must be column=value, or 'column type=value'"))
			continue
		}
		opts = append(opts, transfer.Constant(name, strings.TrimSpace(cqlType), value))
	}
	if counter { // counters have times that cannot be written
		return opts, errors.Join(errs...)
	}
	times, err := c.timesOptions()
	return append(opts, times...), errors.Join(append(errs, err)...)
}

func (c *copyFlags) timesOptions() (opts []transfer.CopyOption, err error) {
	if c.lossy {
		opts = append(opts, transfer.Lossy())
	}
	if !c.times {
		if c.markers != "guessed" || c.markerTime != "" {
			return nil, errors.New("--markers and --marker-time say how times are kept: give --times too")
		}
		return opts, nil
	}
	opts = append(opts, transfer.WithTimes())
	switch c.markers {
	case "guessed":
	case "none":
		opts = append(opts, transfer.TimesOptions(sink.Markers(sink.MarkersNone)))
	default:
		err = fmt.Errorf("--markers %q: must be guessed or none", c.markers)
	}
	if c.markerTime != "" {
		at, wrong := time.Parse(time.RFC3339Nano, c.markerTime)
		if wrong != nil {
			return nil, errors.Join(err, fmt.Errorf("--marker-time %q: must be like 2006-01-02T15:04:05Z", c.markerTime))
		}
		opts = append(opts, transfer.TimesOptions(sink.MarkerTime(at)))
	}
	return opts, err
}

// ofOne says which flags are for one table only.
func (c *copyFlags) ofOne(found []tables.Found) error {
	if len(found) > 1 && len(c.rename)+len(c.drop)+len(c.constant) > 0 {
		return fmt.Errorf("--rename, --drop and --constant are for one table, and there are %d: run that table alone, and the others with --except", len(found))
	}
	return nil
}

func (s *shared) copy() *cobra.Command {
	v := s.verb(&cobra.Command{
		Use:   "copy TABLE|KEYSPACE...",
		Short: "copy tables to another cluster, keyspace or table",
		Long: `copy copies tables to another cluster, keyspace or table. Values arrive as the bytes that they
were. With --times each value keeps its write time and its expiry.

What no tool can promise: a copy is no snapshot, so rows that are written meanwhile may be in it or
not; and deletions are not copied, so a row that was deleted at the source stays at the target, and
one that was deleted at the target may come back if the copy is made after gc_grace_seconds. Run diff
afterwards, and repair what it finds.`,
		Example: `  rxcql copy shop --source-hosts 10.0.0.1 --target-hosts 10.1.0.1 --create --times --checkpoint move
  rxcql copy shop.orders --to archive.orders_2025 --hosts 10.0.0.1 --drop notes --rename euros=amount
  rxcql copy shop --except shop.sessions --source-cqlshrc old.rc --target-cqlshrc new.rc --dry-run`,
		Args: cobra.MinimumNArgs(1),
	}, source, target)
	var flags copyFlags
	flags.add(v.own)
	v.tasks = func(ctx context.Context, r *run, args []string) ([]fleet.Task, error) {
		found, err := r.find(ctx, source, args)
		if err != nil {
			return nil, err
		}
		names, err := targets(found, flags.to)
		if err := errors.Join(err, flags.ofOne(found), r.apart(names)); err != nil {
			return nil, err
		}
		return each(found, func(f tables.Found) (fleet.Task, error) { return r.copyTask(f, names[f.Name], &flags) })
	}
	return v.command()
}

func (r *run) copyTask(f tables.Found, to tables.Name, flags *copyFlags) (fleet.Task, error) {
	p := r.place(f.String(), fmt.Sprintf("%s to %s", f, to))
	if f.Counter {
		p = p.unsaved()
	}
	opts, err := flags.options(f.Counter)
	all, byRange := r.options(p)
	for _, o := range all {
		opts = append(opts, o)
	}
	for _, o := range byRange {
		opts = append(opts, o)
	}
	if err != nil {
		return fleet.Task{}, err
	}
	job, err := transfer.Copy(transfer.Table{Session: r.sessions[source], Name: f.String()},
		transfer.Table{Session: r.sessions[target], Name: to.String()}, opts...)
	place := r.kept(p, []watched{{source, f.Name, kept.Origin}, {target, to, kept.Goal}}, nil, nil)
	t, err := task(f.String(), p.name, place, copyJob{job, func(ctx context.Context) error {
		if !f.Counter || !flags.counters {
			return nil
		}
		return r.empty(ctx, to)
	}}, err)
	t.FromEmpty = f.Counter
	return t, err
}

type copyJob struct {
	*transfer.CopyJob
	ready func(context.Context) error // whether the target is as the copy needs it
}

// Plan is that of the job, with what a run would find at the target.
func (j copyJob) Plan(ctx context.Context) (transfer.Plan, error) {
	plan, err := j.CopyJob.Plan(ctx)
	return plan, errors.Join(err, j.ready(ctx))
}

// empty refuses a target of counters that has rows.
func (r *run) empty(ctx context.Context, to tables.Name) error {
	state, err := tables.Look(ctx, r.sessions[target], to, true)
	if err == nil && state.ID != "" && !state.Empty {
		err = fmt.Errorf("the target %s has rows already, and counters are added to what is there: empty it first (TRUNCATE)", to)
	}
	return err
}

func (j copyJob) Run(ctx context.Context) (fleet.Result, error) {
	r, err := j.CopyJob.Run(ctx)
	plainEach(r.Differences, r.Lossy, r.Notes)
	out, err := result(r.Report, r, r.String(), err)
	if r.StaticsOnly > 0 {
		out.Left = append(out.Left, fmt.Sprintf("%s partitions that have static columns only were left out, since the target has no static column "+
			"for what they have: copy their static columns too", show.Thousands(r.StaticsOnly)))
	}
	if r.StaticsOnlyEarlier {
		out.Left = append(out.Left, "earlier runs may have left out partitions that have static columns only: copy their static columns too, or compare (diff)")
	}
	return out, err
}
