package verbs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/transfer"
	"github.com/rxcql/rxcql/transfer/parquetfiles"
)

// loadFlags are the flags of load.
type loadFlags struct {
	formatFlags
	into                       string
	mapping, columns           []string
	spread                     spreadFlags
	ignore, nullsDelete        bool
	times                      bool
	ttlColumn, timestampColumn string
	bad, maxErrors             string
}

func (s *shared) load() *cobra.Command {
	v := s.verb(&cobra.Command{
		Use:   "load FILE|FOLDER|PATTERN|-",
		Short: "load files into tables",
		Long: `load writes the rows of files into a table: of one file, of all files of a folder, of those of a
pattern, or of standard input (-). Compressed files are recognized. With a keyspace as --into it loads
each folder in the folder into the table that it is named after, as unload makes them.

All files of a folder are loaded, or none: one of which it is not known what it is ends the load
with its name.

The first record that is no row ends the run, with its file and line, unless --max-errors or --bad is
given. Records in the file of --bad have their reasons. Correct them there, and load that file with the
flags of before.`,
		Example: `  rxcql load orders.csv --into shop.orders --hosts 10.0.0.1 --checkpoint move
  rxcql load dump --into shop --bad bad.ndjson --max-errors 1%
  zcat orders.csv.gz | rxcql load - --into shop.orders --dialect dsbulk --map order_id=id`,
		Args: cobra.ExactArgs(1),
	})
	v.files = true
	var flags loadFlags
	v.own.StringVar(&flags.into, "into", "", "the `table`, or the keyspace, to load into")
	v.own.StringArrayVar(&flags.mapping, "map", nil, "`name=column`: a column of the files goes into one of another name; as often as needed")
	v.own.StringSliceVar(&flags.columns, "columns", nil, "the `columns` of files without a header, in their order (default: those of the table)")
	v.own.BoolVar(&flags.ignore, "ignore-columns", false, "leave out columns of the files that the table does not have")
	v.own.BoolVar(&flags.nullsDelete, "nulls-delete", false, "a null deletes what the table has there (default: it stays)")
	v.own.StringVar(&flags.ttlColumn, "ttl-column", "", "the `column` of the files that has the time to live of each row, in seconds")
	v.own.StringVar(&flags.timestampColumn, "timestamp-column", "", "the `column` of the files that has the write time of each row, in microseconds")
	v.own.BoolVar(&flags.times, "times", false, "the files have the write time and the expiry of each value, as unload --times writes them")
	flags.spread.add(v.own)
	v.own.StringVar(&flags.bad, "bad", "", "the `file` for records that cannot be loaded, with their reasons; of several tables each has one, with its name before the dot")
	v.own.StringVar(&flags.maxErrors, "max-errors", "", "how many records may fail: `N, or N%` of those read")
	flags.add(v.own)
	v.without("it reads files", "shard", "splits", "except")
	v.tasks = func(ctx context.Context, r *run, args []string) ([]fleet.Task, error) {
		return r.loadTasks(ctx, args[0], &flags)
	}
	return v.command()
}

func (r *run) loadTasks(ctx context.Context, path string, flags *loadFlags) ([]fleet.Task, error) {
	into, err := tables.Parse(flags.into)
	if err != nil {
		return nil, fmt.Errorf("--into: %w", err)
	}
	if into.Table != "" {
		t, err := r.loadTask(folderOf(path, into), into, flags, flags.bad)
		return []fleet.Task{t}, err
	}
	if len(flags.mapping)+len(flags.columns) > 0 {
		return nil, errors.New("--map and --columns are for one table: give that table as --into")
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("--into is a keyspace, so %s must be a folder with a folder for each table: %w", path, err)
	}
	var args, unknown, missing []string
	folders := map[tables.Name]string{}
	for _, e := range entries {
		n := tables.Name{Keyspace: into.Keyspace, Table: tableOf(e.Name())}
		switch {
		case strings.HasPrefix(e.Name(), "."):
			continue
		case isUnfinished(e.Name()):
			missing = append(missing, e.Name())
			continue
		case !e.IsDir():
			unknown = append(unknown, e.Name())
			continue
		}
		if other, twice := folders[n]; twice {
			return nil, fmt.Errorf("both %s and %s would be loaded into %s: load them apart", other, e.Name(), n)
		}
		folders[n] = filepath.Join(path, e.Name())
		args = append(args, n.String())
	}
	if len(missing) > 0 {
		return nil, errTablesMissing(path, missing)
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("%s has no folder that is named after a table; if it has the files of one table, give that as --into", path)
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%s has folders of tables, and files that are of none: %s: move them away, or load the tables one by one",
			path, strings.Join(unknown, ", "))
	}
	found, err := tables.Find(ctx, r.sessions[""], args, nil)
	if err != nil {
		return nil, err
	}
	return each(found, func(f tables.Found) (fleet.Task, error) {
		bad := flags.bad
		if bad != "" {
			ext := filepath.Ext(bad)
			bad = strings.TrimSuffix(bad, ext) + "." + url.PathEscape(f.String()) + ext
		}
		return r.loadTask(folders[f.Name], f.Name, flags, bad)
	})
}

func (r *run) loadTask(path string, into tables.Name, flags *loadFlags, bad string) (fleet.Task, error) {
	p := r.place(into.String(), fmt.Sprintf("%s into %s", path, into))
	opts, err := flags.options(path, bad)
	if err != nil {
		return fleet.Task{}, err
	}
	if path == standard {
		opts = append(opts, transfer.WithStreams(r.verb.program.In, nil))
	}
	all, _ := r.options(p)
	for _, o := range all {
		opts = append(opts, o)
	}
	job, err := transfer.Load(path, transfer.Table{Session: r.sessions[""], Name: into.String()}, opts...)
	place := r.kept(p, []watched{{"", into, kept.Goal}}, func() []string { return filesOf(path) }, nil)
	return task(into.String(), p.name, place, loadJob{job}, err)
}

func (l *loadFlags) options(path, bad string) (opts []transfer.LoadOption, err error) {
	letters, _ := deadletter.IsFile(path) // what is wrong with a path is an error of the load
	format, err := l.read(path, letters)
	errs := []error{err}
	opts = append(opts, transfer.KnownFormats(parquetfiles.Format()))
	if format != nil {
		opts = append(opts, transfer.WithFormat(format))
	}
	for _, m := range l.mapping {
		name, column, found := strings.Cut(m, "=")
		if !found || name == "" || column == "" {
			errs = append(errs, fmt.Errorf("--map %q: must be name=column", m))
			continue
		}
		opts = append(opts, transfer.Into(name, column))
	}
	if len(l.columns) > 0 {
		opts = append(opts, transfer.FileColumns(l.columns...))
	}
	for _, flag := range []struct {
		on     bool
		option func() transfer.LoadOption
	}{
		{l.ignore, transfer.IgnoreColumns}, {l.nullsDelete, transfer.NullsDelete},
		{l.ttlColumn != "", func() transfer.LoadOption { return transfer.TTLColumn(l.ttlColumn) }},
		{l.timestampColumn != "", func() transfer.LoadOption { return transfer.TimestampColumn(l.timestampColumn) }},
		{bad != "", func() transfer.LoadOption { return transfer.BadRecords(bad) }},
		{l.times, func() transfer.LoadOption { return transfer.WithTimes() }},
	} {
		if flag.on {
			opts = append(opts, flag.option())
		}
	}
	spread, err := l.spread.options()
	opts, errs = append(opts, spread...), append(errs, err)
	most, err := parseMaxErrors(l.maxErrors)
	if most != nil {
		opts = append(opts, most)
	}
	return opts, errors.Join(append(errs, err)...)
}

// percentAfter is how many rows are read before a percentage of bad ones is looked at.
const percentAfter = 1000

// parseMaxErrors reads 100, or 1.5%. Without a text it is nil.
func parseMaxErrors(text string) (transfer.LoadOption, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // the default
	}
	if number, is := strings.CutSuffix(text, "%"); is {
		percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && percent > 0 && percent <= 100 {
			return transfer.MaxErrorsPercent(percent, percentAfter), nil
		}
	} else if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return transfer.MaxErrors(n), nil
	}
	return nil, fmt.Errorf("--max-errors %q: must be a number of records, or N%% of those read", text)
}

type loadJob struct{ *transfer.LoadJob }

func (j loadJob) Run(ctx context.Context) (fleet.Result, error) {
	r, err := j.LoadJob.Run(ctx)
	for i := range r.RowErrors {
		r.RowErrors[i].Reason = plain(r.RowErrors[i].Reason)
	}
	return result(r.Report, r, r.String(), err)
}
