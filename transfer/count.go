package transfer

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/source"
)

// CountJob counts the rows of a table; see Count.
type CountJob struct {
	runs
	table *end
	cfg   countConfig
}

// Count makes a job that counts the rows and the partitions of a table or a materialized view, by
// reading its keys by token ranges. CountSizes, CountRanges and CountLargest ask for more. It does
// no I/O; the error is an rxcql.ErrConfig with everything that is wrong.
//
// A partition that has static columns and no rows is not a row: such partitions are counted by
// themselves. Rows that are written or deleted during the count may be in it or not.
//
// A range that times out, or meets too many tombstones, is read in pieces (source.AdaptiveSplits),
// and a partition that is read in pieces counts as one. What cannot be read at all is named in the
// report, which is then not Complete; all else is counted, and the error is an rxcql.ErrUnread.
//
// In memory are the pages in flight, a few numbers for each range that is being read (with
// CountRanges for each range), and the partitions that are the largest so far, and those of which a
// part could not be read. In a job with a
// checkpoint these numbers are saved together with the positions, so that each row counts once
// however often the job is interrupted. Before a save all pages in flight are waited for.
func Count(table Table, opts ...CountOption) (*CountJob, error) {
	j := &CountJob{}
	var err error
	j.table, err = table.open("table")
	if err := configured("Count", opts, &j.cfg, CountOption.applyCount, err); err != nil {
		return nil, err
	}
	return j, nil
}

// Run counts. The report is filled with or without an error; it is of the whole table only if its
// Run is Complete. Errors are those of rxcql.Pipeline.Run, and rxcql.ErrSchema for a table that is
// not there, and for a virtual table: that has no token ranges to read it by.
func (j *CountJob) Run(ctx context.Context) (CountReport, error) {
	report := CountReport{Table: j.table.String()}
	over, err := j.begin()
	if err != nil {
		return report, err
	}
	defer over()
	p, to, err := j.pipeline(ctx)
	if err != nil {
		return report, err
	}
	if j.isStopped() {
		report.Run.EndedBy = rxcql.EndedByStop
		return report, nil
	}
	report.Run, err = j.run(ctx, p)
	return to.report(report), err
}

// pipeline makes the pipeline that counts, and its sink.
func (j *CountJob) pipeline(ctx context.Context) (*rxcql.Pipeline, *counting, error) {
	about, err := j.table.about(ctx)
	if err != nil {
		return nil, nil, err
	}
	if about.Virtual {
		return nil, nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, j.virtual())
	}
	columns := j.columns(about)
	rows := source.Table[rxcql.Row](j.table.Session, j.table.Name, j.cfg.tables(source.Columns(columns...))...)
	to := &counting{table: about.Quoted(), cfg: j.cfg, tallies: newTallies(about, columns, j.cfg)}
	p, err := rxcql.New(throttled(rows, &j.cfg.config), rxcql.Sink[rxcql.Row](to), j.cfg.pipeline()...)
	return p, to, err
}

// columns names what is counted: the partition key, and the first clustering column, which is null
// if the partition has no rows. Sizes need all.
func (j *CountJob) columns(about *schema.Table) (names []string) {
	if j.cfg.sizes {
		return about.ColumnNames()
	}
	for _, c := range about.PartitionKey {
		names = append(names, c.Name)
	}
	if len(about.ClusteringKey) > 0 {
		names = append(names, about.ClusteringKey[0].Name)
	}
	return names
}

// String says what the job does, for errors and displays.
func (j *CountJob) String() string { return fmt.Sprintf("count %s", j.table) }
