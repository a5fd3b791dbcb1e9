package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// Load writes rows from files into a table. The path is one of these:
//
//   - a file;
//   - a folder, of which all files are read, or none. WithFormat or the ends of their names say the
//     format, which must be one. A file of which the format is not known, a folder in it, a file
//     that an unload has not completed (.part), and files that differ only in the ends of their
//     names (of two unloads) are refused by name. Hidden files are left out, and marks such as
//     _SUCCESS;
//   - a pattern, as filepath.Match has it, or one with a %d to which files were unloaded;
//   - a file that BadRecords has written: its records are loaded, as they are in it now;
//   - "-": standard input (WithStreams).
//
// Compressed files (gzip, zstd) are recognized by their first bytes. Up to WithWorkers files are
// read at once, each in its order. Of two records of one key in one file the later
// wins; of two in different files it is not known which does.
//
// Columns go to those of the same names, unless Into says otherwise. A column that is missing in
// the files stays as it is in the table; all of the primary key must be there. Null leaves a column
// as it is, unless NullsDelete is given. With WithTimes the columns writetime(c) and expires(c)
// that Unload has written say when each value was written, and when it expires; what is newer in
// the table stays. Tables with collections or user-defined types that are not frozen are refused
// then: the times of their elements cannot be read from files.
//
// By default the first record that is no row ends the run, with its file and line. MaxErrors,
// MaxErrorsPercent and BadRecords let others go on.
//
// With WithCheckpoint a run goes on where the one before ended; a row may then be written twice, to
// the same effect. Standard input cannot be part of a job.
//
// Errors of the options are an rxcql.ErrConfig, all in one. Those of Plan and Run are an
// rxcql.ErrSchema if files and table do not go together, and otherwise those of rxcql.Pipeline.Run.
func Load(path string, to Table, opts ...LoadOption) (*LoadJob, error) {
	j := &LoadJob{path: path}
	var toErr error
	j.to, toErr = to.open("target")
	if err := configured("Load", opts, &j.cfg, LoadOption.applyLoad, toErr, fileErr(path)); err != nil {
		return nil, err
	}
	spreadErr := sink.Table[rxcql.Row](j.to.Session, j.to.quoted(), j.cfg.spread...).Info().Err
	if err := errors.Join(j.cfg.together(path), spreadErr); err != nil {
		return nil, fmt.Errorf("%w: transfer.Load: %w", rxcql.ErrConfig, err)
	}
	if compressesInside(j.formatOf(path)) {
		j.path = plain(path) // the unload has left that end out too
	}
	return j, nil
}

// LoadJob is a load into one table, which Load makes.
type LoadJob struct {
	runs
	path string
	to   *end
	cfg  loadConfig
}

func (c *loadConfig) together(path string) error {
	var errs []error
	if path == stream && c.store != nil {
		errs = append(errs, errors.New("WithCheckpoint: standard input cannot be read again; load a file"))
	}
	if c.times && (c.ttl != "" || c.stamp != "") {
		errs = append(errs, errors.New("WithTimes: each value has its own times; leave TTLColumn and TimestampColumn out"))
	}
	if c.ttl != "" && c.ttl == c.stamp {
		errs = append(errs, fmt.Errorf("TTLColumn and TimestampColumn: %q cannot be both", c.ttl))
	}
	if c.times && c.nullsDelete {
		errs = append(errs, errors.New("WithTimes: it is not known when a null was deleted; leave NullsDelete out"))
	}
	return errors.Join(errs...)
}

// LoadReport says what a load did. All records of the files are rows of the table, or among those
// that failed, if it is Complete.
type LoadReport struct {
	rxcql.Report
	From  string   `json:"from"`
	To    string   `json:"to"`
	Files []string `json:"files"`
	Bad   string   `json:"bad_records,omitempty"` // where they are, if BadRecords was given

	// Times counts what WithTimes guessed and lost; nil without it.
	Times *sink.TimesReport `json:"times,omitempty"`
}

// String returns the report as a few lines for people.
func (r LoadReport) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "load %s (%d files) to %s: %s", r.From, len(r.Files), r.To, r.Report)
	if r.DeadLettered > 0 && r.Bad != "" {
		fmt.Fprintf(&s, "%d bad records of this run are in %s, each with its reason, and with its line if it was no row of the table\n", r.DeadLettered, r.Bad)
	}
	if r.Times != nil {
		s.WriteString(timesText(*r.Times))
	}
	return s.String()
}

// Plan says what a run would do now. It changes nothing: it reads the schema, and lists the files.
func (j *LoadJob) Plan(ctx context.Context) (Plan, error) {
	_, columns, files, err := j.prepare(ctx)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Verb: "load", From: j.path, To: j.to.String(), Ranges: int64(len(files.paths))}
	var size int64
	for _, f := range files.paths {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	plan.Notes = append(plan.Notes, fmt.Sprintf("%s of files in %s; the number of rows is not known before",
		bytesText(size), files.format.Name()))
	in := j.read(files, columns, nil)
	if j.path == stream { // what can be said without reading it
		_, err = rxcql.New(in, sink.Table[rxcql.Row](j.to.Session, j.to.quoted()))
	} else {
		err = in.Check(ctx)
	}
	if err != nil {
		return Plan{}, err
	}
	return plan, nil
}

// prepare reads the schema and lists the files.
func (j *LoadJob) prepare(ctx context.Context) (about *schema.Table, columns *loadColumns, files inputFiles, err error) {
	if about, err = j.to.about(ctx); err != nil {
		return nil, nil, files, fmt.Errorf("target: %w", err)
	}
	if columns, err = j.cfg.columnsOf(about); err != nil {
		return nil, nil, files, fmt.Errorf("%w: load to %s: %w", rxcql.ErrSchema, j.to, err)
	}
	if files, err = j.files(); err == nil {
		err = j.hasTTL(ctx, files)
	}
	return about, columns, files, err
}

// Run loads the files. It returns when all is written and nothing is left running. The report is
// filled with or without an error, except when the job runs already (rxcql.ErrRunning); only a
// report that is Complete says that every record was dealt with.
func (j *LoadJob) Run(ctx context.Context) (LoadReport, error) {
	rep := LoadReport{From: j.path, To: j.to.String(), Bad: j.cfg.bad}
	over, err := j.begin()
	if err != nil {
		return rep, err
	}
	defer over()
	about, columns, files, err := j.prepare(ctx)
	if err != nil {
		return rep, err
	}
	if rep.Files = files.paths; j.isStopped() {
		rep.EndedBy = rxcql.EndedByStop
		return rep, nil
	}
	opts, counts := j.writing(columns)
	rows := &rowsOfFiles{columns: columns, about: about, renames: j.cfg.renames, lines: files.namesColumns()}
	in := throttled(rows.apply(j.read(files, columns, rows.check)), &j.cfg.config)
	run := j.cfg.pipeline()
	if policy, given := j.cfg.rowErrors(); given {
		run = append(run, rxcql.WithRowErrors(policy))
	}
	pipeline, err := rxcql.New(in, sink.Table[rxcql.Row](j.to.Session, j.to.quoted(), opts...), run...)
	if err != nil {
		return rep, err
	}
	rep.Report, err = j.run(ctx, pipeline)
	if counts != nil {
		counted := counts.Report()
		rep.Times = &counted
	}
	if err == nil && j.path == stream { // of files it is known before
		err = rows.noTTL(rep.Written)
	}
	return rep, err
}

// writing returns the options of the sink.
func (j *LoadJob) writing(columns *loadColumns) (opts []sink.TableOption, counts *sink.TimesCounts) {
	c := &j.cfg
	for _, o := range c.writes() {
		opts = append(opts, o)
	}
	if c.nullsDelete {
		opts = append(opts, sink.NullsDelete())
	}
	opts = append(opts, c.spread...)
	if c.ttl != "" {
		opts = append(opts, sink.TTLOf(columns.ttlOf()))
	}
	if c.stamp != "" {
		opts = append(opts, sink.TimestampOf(columns.stampOf()))
	}
	if c.times {
		counts = &sink.TimesCounts{}
		opts = append(opts, sink.Times(sink.CountTimes(counts)))
	}
	if names := columns.leftOut(); len(names) > 0 {
		opts = append(opts, sink.LeaveOut(names...))
	}
	return opts, counts
}

// rowErrors returns the policy for records that are no rows, if options give one.
func (c *loadConfig) rowErrors() (policy rxcql.RowErrorPolicy, given bool) {
	switch {
	case c.bad != "":
		policy = rxcql.DeadLetter(deadletter.NDJSON(c.bad))
		if c.limited && c.most < 0 {
			policy = rxcql.AtMostPercent(policy, c.percent, c.after)
		} else if c.limited {
			policy = rxcql.AtMost(policy, c.most)
		}
		return policy, true
	case c.limited && c.most < 0:
		return rxcql.SkipPercent(c.percent, c.after), true
	case c.limited:
		return rxcql.SkipRows(c.most), true
	}
	return policy, false
}
