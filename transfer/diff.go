package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
)

// Diff compares two tables, the source of a copy (left) and its target (right), and writes what
// differs into a folder.
//
//	job, err := transfer.Diff(old, new, "orders-diff", transfer.WithTimes())
//	report, err := job.Run(ctx)
//	if !report.Equal() { … transfer.Repair(old, new, "orders-diff/differences.ndjson", …) }
//
// It works in two phases. First it reads both tables side by side by token ranges, as
// source.TablePair does, and notes the keys of rows that differ. After a Pause it reads each of
// these again by its key, on both sides. What is equal then was being written, and is no
// difference. What differs as before is one. What differs in another way is read again, up to
// Rereads times, and is Unstable if it still moves.
//
// Compared are all columns, but see LeaveOut: values by what they mean (an int 1 and a bigint 1 are
// equal, and a user-defined type may lack its last fields, which are null), and with WithTimes the
// write time and the expiry of each cell and of each element of maps, sets and user-defined types,
// within Tolerance. Of lists that are not frozen the expiry alone is compared. Without WithTimes
// they are read only of rows that differ, to say which side is Newer. Static columns are compared
// once a partition. Rows are matched by their primary keys, column by column, see
// source.TablePair.
//
// The folder has, when the job is complete:
//
//   - differences.ndjson: a Difference a line, in no order that you could rely on;
//   - ranges.ndjson: a RangeSum a line, the checksum of each range of tokens;
//   - report.json: the DiffReport.
//
// Differences and RangeSums read them. The first has primary keys, and none has other values; the
// folder is made with the mode 0700.
//
// A job goes on where it was interrupted, however that was: run Diff again with the same tables and
// folder. Splits, workers and Rereads may be others then. It needs no WithCheckpoint, since
// positions and files belong together: the folder has both. A folder whose job is complete is left
// as it is, and its report is returned. Another job in a folder is refused
// (rxcql.ErrCheckpointForeign), and two at once (rxcql.ErrCheckpointLocked).
//
// Rows are read at the consistency of the sessions (WithConsistency). With ONE a replica that is
// behind the others looks like a difference.
//
// In memory are pages of both tables for each range that is read (rxcql.WithBudget), and no list of
// rows. On disk are about 100 bytes and the key of each row that differed, twice for a while.
//
// A range of a table that times out, or meets too many tombstones, is read in pieces
// (source.AdaptiveSplits). What cannot be read at all is a Difference with the cause Unread and a
// Range, all else is compared, and the job is then complete. To look at it once more, give the file
// of differences to Repair, or the range to OnlyRanges in another folder.
//
// Reading two tables is no snapshot, and what was deleted cannot be seen: a row that is Missing may
// have been deleted in the target, and one that is Extra in the source.
func Diff(left, right Table, folder string, opts ...DiffOption) (*DiffJob, error) {
	j := &DiffJob{cfg: newDiffConfig(), folder: inFolder(folder)}
	j.steps = &j.runs
	var errL, errR, errFolder error
	j.left, errL = left.open("source")
	j.right, errR = right.open("target")
	if folder == "" {
		errFolder = errors.New("the folder has no name; give one in which the differences, and how far the job is, are kept")
	}
	err := configured("Diff", opts, &j.cfg, DiffOption.applyDiff, errL, errR, errFolder)
	if j.cfg.store != nil {
		err = errors.Join(err, fmt.Errorf("%w: transfer.Diff: WithCheckpoint: the folder has the checkpoint already; leave the option out", rxcql.ErrConfig))
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// DiffJob compares two tables, see Diff.
type DiffJob struct {
	runs
	steps       *runs // what its pipelines run in: its own, or those of the job that it is a step of
	cfg         diffConfig
	left, right *end
	folder      folder
}

// diffIdentity is what must be the same for a job to go on.
type diffIdentity struct {
	Job        string      `json:"job"`
	Version    int         `json:"version"`
	Source     string      `json:"source"`
	SourceID   string      `json:"source_id"`
	Target     string      `json:"target"`
	TargetID   string      `json:"target_id"`
	Columns    [][2]string `json:"columns"`
	Times      bool        `json:"times"`
	WritesNS   int64       `json:"tolerance_writes_ns"`
	ExpiryNS   int64       `json:"tolerance_expiry_ns"`
	Shard      int         `json:"shard"`
	Of         int         `json:"of"`
	OnlyRanges [][2]int64  `json:"only_ranges,omitempty"`
}

// identityOf returns what is known by the tables and by what is compared.
func identityOf(c *comparison) diffIdentity {
	id := diffIdentity{
		Version: 1, Source: c.left.Quoted(), SourceID: c.left.ID, Target: c.right.Quoted(), TargetID: c.right.ID,
		Times: c.times, WritesNS: int64(c.writesWithin), ExpiryNS: int64(c.expiryWithin),
	}
	for _, p := range slices.Concat(c.static, c.regular) {
		id.Columns = append(id.Columns, [2]string{p.left.Name, p.right.Name})
	}
	return id
}

func (j *DiffJob) identity(c *comparison) diffIdentity {
	id := identityOf(c)
	id.Job, id.Shard, id.Of = "diff", j.cfg.shard, j.cfg.of
	for _, r := range j.cfg.tokens {
		id.OnlyRanges = append(id.OnlyRanges, [2]int64{r.Start, r.End})
	}
	return id
}

// Run compares the tables. Without an error the report says what was found, and whether the job is
// complete; a difference is no error.
func (j *DiffJob) Run(ctx context.Context) (report DiffReport, err error) {
	over, err := j.begin()
	if err != nil {
		return report, err
	}
	defer over()
	return j.compare(ctx)
}

// compare is Run within the runs of a job.
func (j *DiffJob) compare(ctx context.Context) (report DiffReport, err error) {
	start := time.Now()
	report.Source, report.Target = j.left.String(), j.right.String()
	c, rows, notes, err := j.prepare(ctx)
	if err != nil {
		return report, err
	}
	unlock, err := j.folder.open(ctx, j.identity(c))
	if err != nil {
		return report, fmt.Errorf("transfer.Diff: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if j.folder.has("report.json") {
		err = j.folder.load("report.json", &report)
		return report, errors.Join(err, j.folder.remove(workFiles(100)...))
	}
	report = DiffReport{Source: j.left.String(), Target: j.right.String(), Times: c.times, Notes: notes}
	counts, done, err := j.phases(ctx, c, rows, &report)
	report.Complete, report.Duration = done && err == nil, time.Since(start)
	report.scanned(counts)
	if !report.Complete {
		return report, err
	}
	if err := j.folder.save("report.json", report); err != nil {
		return report, err
	}
	return report, j.folder.remove(workFiles(j.cfg.rereads + 1)...)
}
