package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Copy copies all rows of a table to another one, of the same cluster or of another. Columns go to
// those of the same names, unless options say otherwise (Rename, Drop, Constant).
//
// Values go as the bytes that they were read as, so nothing is rounded or cut. Where the target's
// type is wider, and has every value that the source's has (an int into a bigint, a float into a
// double, the same inside of collections, tuples and user-defined types), the value is made one of
// that type. Anything else is refused by name before anything is read, and so are tables in which
// rows would become one.
//
// Rows of the source's order are written as sink.Table says. These arrive too: rows of keys alone,
// and partitions that have static columns only. Static columns are not written with each row: once
// for each partition, again where they have changed meanwhile, and again where a job goes on inside
// of a partition. If the target has no static column for what such a partition has, it is left out
// and counted (CopyReport.StaticsOnly).
//
// Columns that the server masks are refused, unless the role may see their values (UNMASK) or Lossy
// is given: their masks would be copied.
//
// What the target has and the source does not stays: deletions are not copied, and null is no
// deletion. With WithTimes each value keeps its write time and its expiry, and what is newer at the
// target stays. Without it what is copied gets the run's time, so it replaces what the target had
// before the run; and it never expires, or after the target's default time to live.
//
// A range of the source that times out, or meets too many tombstones, is read in pieces
// (source.AdaptiveSplits). What cannot be read at all is named in the report, which is then not
// Complete; all else is copied, and the error is an rxcql.ErrUnread.
//
// The source may be a materialized view, or a virtual table (which is read by one query). Counters
// need the option Counters.
//
// Errors of the options are an rxcql.ErrConfig, all in one. Those of Plan and Run are an
// rxcql.ErrSchema if the two tables do not go together, and otherwise those of rxcql.Pipeline.Run.
func Copy(from, to Table, opts ...CopyOption) (*CopyJob, error) {
	j := &CopyJob{}
	var fromErr, toErr error
	j.from, fromErr = from.open("source")
	j.to, toErr = to.open("target")
	err := configured("Copy", opts, &j.cfg, CopyOption.applyCopy, fromErr, toErr)
	if bad := j.cfg.together(); bad != nil {
		err = errors.Join(err, fmt.Errorf("%w: transfer.Copy: %w", rxcql.ErrConfig, bad))
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// CopyJob is a copy of one table, which Copy makes.
type CopyJob struct {
	runs
	from, to *end
	cfg      copyConfig
}

// together returns what is wrong with options that do not go together.
func (c *copyConfig) together() error {
	var errs []error
	if c.counters && c.times {
		errs = append(errs, errors.New("WithTimes: counters have times that cannot be written; leave it out with Counters"))
	}
	if c.counters && c.store != nil {
		errs = append(errs, errors.New("WithCheckpoint: counters cannot be copied in a job, which would count rows twice; leave it out with Counters"))
	}
	if c.counters && c.of > 1 {
		errs = append(errs, errors.New("WithShard: counters are copied by one process, into an empty table; leave it out with Counters"))
	}
	if !c.times && len(c.timesOptions) > 0 {
		errs = append(errs, errors.New("TimesOptions say how times are kept: give WithTimes too, or leave them out"))
	}
	return errors.Join(errs...)
}

// Plan says what a run would do now. It changes nothing: it reads both schemas, estimates of the
// server and, for the number of rows, the keys of at most 5,000 rows. Its errors are those that Run
// would have before anything is written.
func (j *CopyJob) Plan(ctx context.Context) (Plan, error) {
	p, err := j.prepare(ctx)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Verb: "copy", From: j.from.String(), To: j.to.String(),
		Creates: p.creates, Differences: p.differences, Lossy: p.lossy, Notes: p.notes,
	}
	est, err := j.cfg.estimate(ctx, j.from, p.from)
	if err != nil {
		return Plan{}, fmt.Errorf("source: %w", err)
	}
	plan.Ranges, plan.Known, plan.Partitions, plan.Rows, plan.Bytes = est.ranges, est.known, est.partitions, est.rows, est.bytes
	if est.known {
		writes := max(est.partitions, est.rows/batchRows)
		if p.counters {
			writes = est.rows
		}
		plan.Requests = est.ranges + est.bytes/pageBytes + writes
	}
	return plan, nil
}

// batchRows are the most rows that sink.Table writes in one request.
const batchRows = 100

// Run copies the table. What Create asks for is made first. It returns when all is written and
// nothing is left running. The report is filled with or without an error, except when the job runs
// already (rxcql.ErrRunning); only a report that is Complete says that every row was copied.
func (j *CopyJob) Run(ctx context.Context) (CopyReport, error) {
	rep := CopyReport{From: j.from.String(), To: j.to.String()}
	over, err := j.begin()
	if err != nil {
		return rep, err
	}
	defer over()
	p, err := j.prepare(ctx)
	if err != nil {
		return rep, err
	}
	if j.isStopped() {
		rep.EndedBy = rxcql.EndedByStop
		return rep, nil
	}
	if len(p.creates) > 0 {
		if rep.Created, err = j.create(ctx, p.creates); err != nil {
			return rep, err
		}
		notes := p.notes
		if p, err = j.prepare(ctx); err != nil { // as it was made
			return rep, err
		}
		p.notes = notes
	}
	rep.Differences, rep.Lossy, rep.Notes = p.differences, p.lossy, p.notes
	if p.counters {
		err = j.copyCounters(ctx, p, &rep)
	} else {
		err = j.copyRows(ctx, p, &rep)
	}
	return rep, err
}

func (j *CopyJob) copyRows(ctx context.Context, p *prepared, rep *CopyReport) error {
	times := j.cfg.keepTimes(p.mapping)
	var left atomic.Int64
	in := reshape(throttled(j.rows(p.from, p.mapping.reads(), times.reading...), &j.cfg.config), p.mapping, &left)
	var opts []sink.TableOption
	for _, opt := range j.cfg.writes() {
		opts = append(opts, opt)
	}
	out := sink.Table[rxcql.Row](j.to.Session, j.to.quoted(), append(opts, times.writing...)...)
	pipeline, err := rxcql.New(in, out, j.cfg.pipeline()...)
	if err != nil {
		return err
	}
	rep.Report, err = j.run(ctx, pipeline)
	times.report(rep)
	rep.StaticsOnly, rep.StaticsOnlyEarlier = left.Load(), rep.Resumed && p.mapping.homeless
	return err
}

// rows is the source's rows with some columns, undecoded.
func (j *CopyJob) rows(from *schema.Table, columns []string, more ...source.TableOption) rxcql.Stream[rxcql.Row] {
	if !from.Virtual {
		return source.Table[rxcql.Row](j.from.Session, j.from.quoted(), j.cfg.tables(append(more, source.Columns(columns...))...)...)
	}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = schema.Quote(name)
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
