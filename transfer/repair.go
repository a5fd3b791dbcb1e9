package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/sink"
)

// Repair makes rows of a table (right) equal to those of the table that it was copied from (left):
// only the rows that a file names.
//
//	job, err := transfer.Repair(old, new, "orders-diff/differences.ndjson", "orders-repair",
//		transfer.WithTimes())
//	report, err := job.Run(ctx)
//	if !report.Repaired() { … transfer.Outcomes("orders-repair") … }
//
// The file is the differences.ndjson of a Diff, or one that you wrote, of Difference lines: keys,
// as {"key":{"id":7}}, or ranges of tokens, as {"range":[-100,250]}, whose rows are compared first,
// as Diff does. Give the same options as to that Diff.
//
// Each row is read again on both sides before anything is written, so the file may be old. Then
// values are written at the write times, and with the expiry, that the source has for them
// (sink.Times):
//
//   - Missing rows and values, and Differing ones. A missing row gets a marker as sink.Times says.
//     Lists are written last, and only into rows that the target has by then.
//   - What is Newer at the target stays. In a map, a set or a user-defined type that is not frozen,
//     that is so for each element.
//   - A Tie stays, unless Bump is given.
//   - What is Extra stays, unless DeleteExtra is given.
//
// After that all rows are read back on both sides, and the folder gets outcomes.ndjson, with an
// Outcome for each. A row that the target has deleted later than the source has written it is
// Shadowed: it cannot be repaired at the source's times, and that is right where it was deleted on
// purpose.
//
// A repair after gc_grace_seconds may bring rows back that were deleted, since nothing tells of the
// deletion then.
//
// A job goes on where it was interrupted: run Repair again with the same arguments. The file must
// be the same then, byte for byte; another one is refused (ErrCheckpointForeign) and needs another
// folder. A folder whose job is complete is left as it is, and its report is returned.
//
// Tables of counters are refused: a counter cannot be written at a time.
func Repair(left, right Table, file, folder string, opts ...RepairOption) (*RepairJob, error) {
	j := &RepairJob{cfg: repairConfig{compareConfig: newCompareConfig()}, file: file, folder: inFolder(folder)}
	var errs [4]error
	j.left, errs[0] = left.open("source")
	j.right, errs[1] = right.open("target")
	if file == "" {
		errs[2] = errors.New("the file has no name; give the differences.ndjson of a Diff, or a file of keys")
	}
	if folder == "" {
		errs[3] = errors.New("the folder has no name; give one in which the outcomes, and how far the job is, are kept")
	}
	err := configured("Repair", opts, &j.cfg, RepairOption.applyRepair, errs[:]...)
	if j.cfg.store != nil {
		err = errors.Join(err, fmt.Errorf("%w: transfer.Repair: WithCheckpoint: the folder has the checkpoint already; leave the option out", rxcql.ErrConfig))
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// RepairJob repairs rows, see Repair.
type RepairJob struct {
	runs
	cfg         repairConfig
	left, right *end
	file        string
	folder      folder
	counts      sink.TimesCounts
}

// Files of a repair, in the order of its steps.
const (
	namedName   = "named.ndjson"   // what the file names
	plannedName = "planned.ndjson" // and whether something is to be done about it
	checkedName = "checked.ndjson" // and what became of it
)

// repairIdentity is what must be the same for a job to go on.
type repairIdentity struct {
	diffIdentity
	Bump        bool   `json:"bump"`
	DeleteExtra bool   `json:"delete_extra"`
	Lossy       bool   `json:"lossy"`
	Input       string `json:"input"` // SHA-256 of the file
}

// sumOf returns the SHA-256 of a file.
func sumOf(path string) (string, error) {
	f, err := filesys.Read(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// Run repairs the rows. Without an error the report says what became of each.
func (j *RepairJob) Run(ctx context.Context) (report RepairReport, err error) {
	over, err := j.begin()
	if err != nil {
		return report, err
	}
	defer over()
	start := time.Now()
	c, rows, notes, err := pairRows(ctx, j.left, j.right, j.cfg.compareConfig, &j.cfg.config, j.cfg.times)
	if err != nil {
		return report, err
	}
	m, err := j.maker(c, rows)
	if err != nil {
		return report, err
	}
	input, err := sumOf(j.file)
	if err != nil {
		return report, fmt.Errorf("transfer.Repair: %w", err)
	}
	identity := repairIdentity{identityOf(c), j.cfg.bump, j.cfg.deleteExtra, j.cfg.lossy, input}
	identity.Job = "repair"
	unlock, err := j.folder.open(ctx, identity)
	if err != nil {
		return report, fmt.Errorf("transfer.Repair: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if j.folder.has("report.json") {
		err = j.folder.load("report.json", &report)
		return report, errors.Join(err, j.folder.remove(repairFiles()...))
	}
	report = RepairReport{Source: j.left.String(), Target: j.right.String(), Notes: notes}
	report.Complete, err = j.steps(ctx, c, rows, m)
	if err == nil && report.Complete {
		err = j.collect(ctx, &report)
	}
	report.Lossy, report.Duration = j.counts.Report(), time.Since(start)
	if report.Complete = report.Complete && err == nil; !report.Complete {
		return report, err
	}
	if err := j.folder.save("report.json", report); err != nil {
		return report, err
	}
	return report, j.folder.remove(repairFiles()...)
}

func repairFiles() (names []string) {
	names = []string{namedName, plannedName, checkedName}
	for _, step := range []string{"plan", "write", "lists", "check"} {
		names = append(names, step+".checkpoint", step+".checkpoint.lock")
	}
	return names
}

// maker returns what makes rows, and refuses tables that cannot be repaired.
func (j *RepairJob) maker(c *comparison, rows *rowPair) (*rowMaker, error) {
	if c.left.Counter || c.right.Counter {
		return nil, fmt.Errorf("%w: a table of counters cannot be repaired, because a counter cannot be written at a time; empty the target and copy it again", rxcql.ErrSchema)
	}
	m, err := newRowMaker(c, rows.left.elements)
	if err == nil && len(m.untimed) > 0 && !j.cfg.lossy {
		err = fmt.Errorf("%w: the source cannot say when elements of %q were written; give Lossy, or LeaveOut the columns", rxcql.ErrSchema, m.untimed)
	}
	return m, err
}

// steps runs what is not done yet. done is false if the job was stopped.
func (j *RepairJob) steps(ctx context.Context, c *comparison, rows *rowPair, m *rowMaker) (done bool, err error) {
	if !j.folder.has(namedName) {
		if done, err = j.name(ctx, c); err != nil || !done {
			return false, err
		}
	}
	for _, step := range []func() (rxcql.Report, error){
		func() (rxcql.Report, error) { return j.planAll(ctx, rows) },
		func() (rxcql.Report, error) { return j.writeAll(ctx, rows, m, false) },
		func() (rxcql.Report, error) { return j.writeAll(ctx, rows, m, true) },
		func() (rxcql.Report, error) { return j.checkAll(ctx, rows) },
	} {
		rep, err := step()
		if err != nil || !rep.Complete {
			return false, err
		}
	}
	return true, nil
}

// name copies what the file names into the folder, with ranges as the rows that differ in them.
func (j *RepairJob) name(ctx context.Context, c *comparison) (done bool, err error) {
	var ranges []flow.TokenRange
	if err := readDifferences(ctx, j.file, c, func(d Difference, _ repairItem) error {
		if r, is := d.Tokens(); is {
			ranges = append(ranges, r)
		}
		return nil
	}); err != nil {
		return false, err
	}
	files := []string{j.file}
	inside := inFolder(j.folder.file("ranges"))
	if len(ranges) > 0 {
		if done, err := j.compareRanges(ctx, inside, ranges); err != nil || !done {
			return false, err
		}
		files = append(files, inside.differences())
	}
	err = j.folder.replace(namedName, func(w *bufio.Writer) error {
		for _, file := range files {
			err := readDifferences(ctx, file, c, func(d Difference, item repairItem) error {
				switch {
				case d.Range == nil:
				case file == j.file: // it was compared
					return nil
				default: // and could not be read, or not all of it
					item = repairItem{Cause: Unread, Outcome: &Outcome{Result: Unreadable, Difference: d}}
				}
				return appendLine(w, item)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return err == nil, err
}

// compareRanges compares ranges of tokens in a folder of their own.
func (j *RepairJob) compareRanges(ctx context.Context, in folder, ranges []flow.TokenRange) (done bool, err error) {
	d := &DiffJob{cfg: newDiffConfig(), left: j.left, right: j.right, folder: in}
	d.cfg.config, d.cfg.compareConfig, d.cfg.pause, d.cfg.rereads = j.cfg.config, j.cfg.compareConfig, 0, 1
	if err := OnlyRanges(ranges...).applyDiff(&d.cfg); err != nil {
		return false, err
	}
	d.steps = &j.runs
	report, err := d.compare(ctx)
	return report.Complete, err
}
