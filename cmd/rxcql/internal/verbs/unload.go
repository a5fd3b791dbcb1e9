package verbs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/pace"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/tables"
	"github.com/rxcql/rxcql/internal/numbered"
	"github.com/rxcql/rxcql/transfer"
	"github.com/rxcql/rxcql/transfer/parquetfiles"
)

// unloadFlags are the flags of unload.
type unloadFlags struct {
	formatFlags
	out, compress, fileBytes string
	files                    int
	columns                  []string
	times, replace           bool
}

// standard is the path of the standard streams.
const standard = "-"

func (s *shared) unload() *cobra.Command {
	v := s.verb(&cobra.Command{
		Use:   "unload TABLE|KEYSPACE...",
		Short: "write tables to files",
		Long: `unload writes tables to files: CSV in the dialect of your choice, NDJSON, an array of JSON, or
Parquet. --out is a file (orders.csv, orders.ndjson.gz), a pattern of files with numbers
(orders-%05d.csv), - for standard output, or any other name: a folder, which is made. The tables of
a keyspace, or several tables, have a folder each in that folder; load reads them again.`,
		Example: `  rxcql unload shop.orders --out orders.csv --hosts 10.0.0.1
  rxcql unload shop --out dump --format parquet --checkpoint move
  rxcql unload shop.orders --out - --dialect cqlsh --header no | gzip > orders.csv.gz`,
		Args: cobra.MinimumNArgs(1),
	})
	var flags unloadFlags
	v.own.StringVar(&flags.out, "out", "", "the `file`, the pattern, the folder, or - for standard output")
	v.own.StringSliceVar(&flags.columns, "columns", nil, "the `columns` to write, of one table (default: all)")
	v.own.StringVar(&flags.compress, "compress", "", "`gzip, zstd or none` (default: by the end of the name)")
	v.own.StringVar(&flags.fileBytes, "file-bytes", "256MiB", "the most `bytes` of a file, in a folder or with a pattern")
	v.own.IntVar(&flags.files, "files", transfer.DefaultFiles, "how `many` files are written at a time, in a folder or with a pattern")
	v.own.BoolVar(&flags.replace, "replace", false, "replace what earlier unloads of the table have left there, in whatever format")
	v.own.BoolVar(&flags.times, "times", false, "add columns with the write time and the expiry of each value")
	flags.add(v.own)
	v.dataOut = func() bool { return flags.out == standard }
	v.anew = func() string {
		if flags.replace {
			return ""
		}
		return ", and needs --replace where this one has left files"
	}
	v.tasks = func(ctx context.Context, r *run, args []string) ([]fleet.Task, error) {
		if flags.out == "" {
			return nil, errors.New("--out: give a file, a folder, or - for standard output")
		}
		found, err := r.find(ctx, "", args)
		if err != nil {
			return nil, err
		}
		if len(found) > 1 && (flags.out == standard || len(flags.columns) > 0) {
			return nil, fmt.Errorf("--out - and --columns are for one table, and there are %d", len(found))
		}
		if several := len(found) > 1; several || isKeyspace(args) && unloadsToFolder(found[0], &flags) {
			r.unfinished = r.unfinishedIn(flags.out)
			r.filesOf = func(table string) []string {
				i := slices.IndexFunc(found, func(f tables.Found) bool { return f.String() == table })
				return r.filesBy(filepath.Join(flags.out, folderName(found[i])), found[i].Table)
			}
		}
		return each(found, func(f tables.Found) (fleet.Task, error) { return r.unloadTask(f, &flags, r.unfinished != nil) })
	}
	return v.command()
}

// isKeyspace reports whether an argument is a whole keyspace.
func isKeyspace(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		n, err := tables.Parse(arg)
		return err == nil && n.Table == ""
	})
}

// unloadsToFolder reports whether --out is a folder rather than a file, a pattern or a stream.
func unloadsToFolder(f tables.Found, flags *unloadFlags) bool {
	opts, err := flags.options(flags.out)
	return err == nil && transfer.IsFolder(flags.out, f.Table, opts...)
}

// folderName is the name of a table's folder: names have letters, digits and _ only.
func folderName(f tables.Found) string { return f.Keyspace + "." + f.Table }

func (r *run) unloadTask(f tables.Found, flags *unloadFlags, several bool) (fleet.Task, error) {
	path := flags.out
	if several {
		path = filepath.Join(path, folderName(f))
	}
	p := r.place(f.String(), fmt.Sprintf("%s to %s", f, path))
	p.saving = []rxcql.CheckpointOption{rxcql.RunOnce()} // begun anew, it would find its own files in its way
	opts, err := flags.options(path)
	if err != nil {
		return fleet.Task{}, err
	}
	if flags.out == standard {
		opts = append(opts, transfer.WithStreams(nil, r.verb.program.Out))
	}
	all, byRange := r.options(p)
	for _, o := range all {
		opts = append(opts, o)
	}
	for _, o := range byRange {
		opts = append(opts, o)
	}
	job, err := transfer.Unload(transfer.Table{Session: r.sessions[""], Name: f.String()}, path, opts...)
	place := r.kept(p, []watched{{"", f.Name, kept.Origin}}, nil, func() []string { return r.filesBy(path, f.Table) })
	_, single := numbered.Parse(path) // an error if it has no place for a number
	return task(f.String(), p.name, place, unloadJob{job, func() error {
		if path == standard || flags.replace || place != nil && place.There() {
			return nil
		}
		return free(r.filesBy(path, f.Table), path != flags.out || filepath.Ext(path) == "" || single == nil)
	}}, err)
}

func (u *unloadFlags) options(path string) (opts []transfer.UnloadOption, err error) {
	format, err := u.read(path, false)
	errs := []error{err}
	opts = append(opts, transfer.KnownFormats(parquetfiles.Format()))
	if format != nil {
		opts = append(opts, transfer.WithFormat(format))
	}
	switch strings.ToLower(u.compress) {
	case "":
	case "none":
		opts = append(opts, transfer.Compress(transfer.NoCompression))
	case "gzip":
		opts = append(opts, transfer.Compress(transfer.Gzip))
	case "zstd":
		opts = append(opts, transfer.Compress(transfer.Zstd))
	default:
		errs = append(errs, fmt.Errorf("--compress %q: must be gzip, zstd or none", u.compress))
	}
	if u.set.Lookup("file-bytes").Changed {
		n, err := pace.ParseBytes(u.fileBytes)
		if err != nil {
			errs = append(errs, fmt.Errorf("--file-bytes: %w", err))
		}
		opts = append(opts, transfer.FileBytes(n))
	}
	if u.set.Lookup("files").Changed {
		opts = append(opts, transfer.Files(u.files))
	}
	if len(u.columns) > 0 {
		opts = append(opts, transfer.OnlyColumns(u.columns...))
	}
	if u.replace {
		opts = append(opts, transfer.Replace())
	}
	if u.times {
		opts = append(opts, transfer.WithTimes())
	}
	return opts, errors.Join(errs...)
}

type unloadJob struct {
	*transfer.UnloadJob
	free func() error // whether there is room for its files
}

// Plan is that of the job, with files that are in its way.
func (j unloadJob) Plan(ctx context.Context) (transfer.Plan, error) {
	plan, err := j.UnloadJob.Plan(ctx)
	return plan, errors.Join(err, j.free())
}

func (j unloadJob) Run(ctx context.Context) (fleet.Result, error) {
	r, err := j.UnloadJob.Run(ctx)
	plainEach(r.Lossy)
	return result(r.Report, r, r.String(), err)
}
