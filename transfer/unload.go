package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/source"
)

// Unload writes all rows of a table to files. The path is one of these:
//
//   - a name whose end says a format (orders.csv, orders.ndjson.gz): one file;
//   - a pattern with a %d (orders-%05d.csv): files with numbers; see sink.Parallel;
//   - any other name: a folder, which is made, with files such as orders-00000.csv, or
//     orders-1of4-00000.csv with WithShard. A folder with files of an earlier unload of a table of
//     that name is refused, or they are removed with Replace;
//   - "-": standard output (WithStreams).
//
// Values are written as the format has them, all digits of them: see package dialect for CSV, and
// package source for JSON. A row with a value that the format cannot hold (text that is not UTF-8)
// is a row that failed (rxcql.WithRowErrors, by WithRun). Load reads what Unload writes back as the
// same values, except empty values of types other than text and blob, which it refuses. A column
// that is masked from the session's role comes as its mask, which the report names (Lossy).
//
// Rows of one token range come in their order; ranges are read several at a time. A partition that
// has static columns only is a row whose clustering columns are null. With WithTimes each value
// that has a write time has a column writetime(c) and a column expires(c) behind the others; see
// source.Times.
//
// A range that times out, or meets too many tombstones, is read in pieces (source.AdaptiveSplits).
// What cannot be read at all is named in the report, which is then not Complete; all else is in the
// files, and the error is an rxcql.ErrUnread.
//
// Numbered files have a file with "0-unfinished" for its number next to them until all rows are in
// them. While it is there Load refuses them, so that what was stopped is not taken for the table.
//
// With WithCheckpoint a run goes on where the one before ended, in the same files, and each row is
// in them once. Standard output cannot be part of a job.
//
// Errors of the options are an rxcql.ErrConfig, all in one. Those of Plan and Run are an
// rxcql.ErrSchema if a column is missing, and otherwise those of rxcql.Pipeline.Run.
func Unload(from Table, path string, opts ...UnloadOption) (*UnloadJob, error) {
	j := &UnloadJob{path: path}
	var fromErr, targetErr error
	j.from, fromErr = from.open("source")
	cfgErr := configured("Unload", opts, &j.cfg, UnloadOption.applyUnload, fromErr, fileErr(path))
	if cfgErr == nil {
		j.out, j.folder, j.format, targetErr = j.cfg.target(path, j.from.name)
		if j.cfg.store != nil && j.out.Writer != nil {
			targetErr = errors.Join(targetErr, errors.New("WithCheckpoint: what went to standard output cannot be cut off; unload to a file"))
		}
		if targetErr != nil {
			cfgErr = fmt.Errorf("%w: transfer.Unload: %w", rxcql.ErrConfig, targetErr)
		}
	}
	if cfgErr != nil {
		return nil, cfgErr
	}
	return j, nil
}

// UnloadJob is an unload of one table, which Unload makes.
type UnloadJob struct {
	runs
	from   *end
	path   string
	folder string // to be made; empty if the path is none
	format Format
	out    Output
	cfg    unloadConfig
}

// UnloadReport says what an unload did. All rows are in the files if it is Complete.
type UnloadReport struct {
	rxcql.Report
	From   string   `json:"from"`
	To     string   `json:"to"`
	Format string   `json:"format"`
	Lossy  []string `json:"lossy,omitempty"` // see Plan
}

// String returns the report as a few lines for people.
func (r UnloadReport) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "unload %s to %s (%s): %s", r.From, r.To, r.Format, r.Report)
	for _, line := range r.Lossy {
		fmt.Fprintf(&s, "  lossy: %s\n", line)
	}
	return s.String()
}

// Plan says what a run would do now. It changes nothing.
func (j *UnloadJob) Plan(ctx context.Context) (Plan, error) {
	about, columns, lossy, err := j.prepare(ctx)
	if err != nil {
		return Plan{}, err
	}
	old, err := j.before()
	if err == nil {
		err = old.refuse(j.cfg.overwrite)
	}
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Verb: "unload", From: j.from.String(), To: j.path, Lossy: lossy}
	est, err := j.cfg.estimate(ctx, j.from, about)
	if err != nil {
		return Plan{}, fmt.Errorf("source: %w", err)
	}
	plan.Ranges, plan.Known, plan.Partitions, plan.Rows, plan.Bytes = est.ranges, est.known, est.partitions, est.rows, est.bytes
	if est.known {
		plan.Requests = est.ranges + est.bytes/pageBytes
	}
	plan.Notes = []string{fmt.Sprintf("%s, %d columns", j.format.Name(), len(columns))}
	if j.out.Parallel > 0 {
		plan.Notes = append(plan.Notes, fmt.Sprintf("files %s of at most %s", j.out.Path, bytesText(j.out.MaxBytes)))
	}
	if len(old.names) > 0 {
		plan.Notes = append(plan.Notes, fmt.Sprintf("replaces %s of an earlier unload", some(old.names)))
	}
	return plan, nil
}

// Run unloads the table. It returns when all is written and nothing is left running. The report is
// filled with or without an error, except when the job runs already (rxcql.ErrRunning); only a
// report that is Complete says that every row is in the files.
func (j *UnloadJob) Run(ctx context.Context) (UnloadReport, error) {
	rep := UnloadReport{From: j.from.String(), To: j.path, Format: j.format.Name()}
	over, err := j.begin()
	if err != nil {
		return rep, err
	}
	defer over()
	about, columns, lossy, err := j.prepare(ctx)
	if err != nil {
		return rep, err
	}
	rep.Lossy = lossy
	if j.isStopped() {
		rep.EndedBy = rxcql.EndedByStop
		return rep, nil
	}
	old, err := j.before()
	if err == nil {
		err = old.refuse(j.cfg.overwrite)
	}
	if err == nil && j.folder != "" {
		err = os.MkdirAll(j.folder, 0o755)
	}
	if err != nil {
		return rep, err
	}
	out := j.out
	if out.Columns = columns; j.cfg.times {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = c.Name
		}
		if out.Columns, err = source.TimesColumns(ctx, j.from.Session, j.from.quoted(), names...); err != nil {
			return rep, fmt.Errorf("source: %w", err)
		}
	}
	pipeline, err := rxcql.New(throttled(j.rows(about, columns), &j.cfg.config), j.format.Write(out), j.cfg.pipeline()...)
	if err == nil && len(old.names) > 0 {
		err = pipeline.Check(ctx) // nothing is lost before it is seen that the run can begin
	}
	if err != nil {
		return rep, err
	}
	mark, err := j.mark()
	if err != nil {
		return rep, err
	}
	mark.changed = len(old.names) > 0
	if err = old.remove(); err == nil {
		rep.Report, err = j.run(ctx, pipeline)
	}
	if wrong := mark.end(rep.Complete); wrong != nil {
		err = errors.Join(err, wrong)
	}
	return rep, err
}

// prepare reads the schema. columns are those that rows will have; with WithTimes, without the
// columns of times, they are those that are read.
func (j *UnloadJob) prepare(ctx context.Context) (about *schema.Table, columns []rxcql.Column, lossy []string, err error) {
	if about, err = j.from.about(ctx); err != nil {
		return nil, nil, nil, fmt.Errorf("source: %w", err)
	}
	names := j.cfg.columns
	if names == nil {
		for _, c := range columnsFor(j.format, about) {
			names = append(names, c.Name)
		}
	}
	var errs []error
	for i, name := range names {
		c, known := about.Column(name)
		if !known {
			errs = append(errs, fmt.Errorf("OnlyColumns: there is no column %q%s", name, schema.Meant(name, about.ColumnNames())))
		}
		if slices.Contains(names[:i], name) {
			errs = append(errs, fmt.Errorf("OnlyColumns: %q is named twice", name))
		}
		columns = append(columns, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	if j.cfg.times && (about.Virtual || about.Counter) {
		errs = append(errs, errors.New("WithTimes: counters and virtual tables have no times that could be kept: leave it out"))
	}
	if about.Virtual && j.cfg.of > 1 {
		errs = append(errs, errors.New("WithShard: a virtual table has no token ranges: unload it in one process"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, nil, fmt.Errorf("%w: unload of %s: %w", rxcql.ErrSchema, j.from, err)
	}
	masks, err := masked(ctx, j.from.session, about, names)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("source: %w", err)
	}
	lossy = masks.notes("unloaded")
	if j.cfg.times {
		untimed, err := source.UntimedColumns(ctx, j.from.Session, j.from.quoted())
		if err != nil {
			return nil, nil, nil, fmt.Errorf("source: %w", err)
		}
		for _, name := range untimed {
			if slices.Contains(names, name) {
				lossy = append(lossy, fmt.Sprintf("column %q: the server does not tell the times of its elements (Cassandra does from 5.0 on)", name))
			}
		}
	}
	return about, columns, lossy, nil
}

// rows is the table's rows, undecoded.
func (j *UnloadJob) rows(about *schema.Table, columns []rxcql.Column) rxcql.Stream[rxcql.Row] {
	names := make([]string, len(columns))
	quoted := make([]string, len(columns))
	for i, c := range columns {
		names[i], quoted[i] = c.Name, schema.Quote(c.Name)
	}
	if !about.Virtual {
		more := []source.TableOption{source.Columns(names...)}
		if j.cfg.times {
			more = append(more, source.Times())
		}
		return source.Table[rxcql.Row](j.from.Session, j.from.quoted(), j.cfg.tables(more...)...)
	}
	var opts []source.QueryOption
	if j.cfg.read != nil {
		opts = append(opts, source.Consistency(*j.cfg.read))
	}
	if j.cfg.limitsRequests() {
		opts = append(opts, source.Throttle(j.cfg.rate))
	}
	return source.Query[rxcql.Row](j.from.Session, "SELECT "+strings.Join(quoted, ", ")+" FROM "+j.from.quoted(), opts...)
}
