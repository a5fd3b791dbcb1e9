package transfer

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// phases runs what is not done yet. done is false if the job was stopped.
func (j *DiffJob) phases(ctx context.Context, c *comparison, rows *rowPair, report *DiffReport) (counts scanCounts, done bool, err error) {
	if j.folder.has("counts.json") {
		err = j.folder.load("counts.json", &counts)
	} else {
		var rep rxcql.Report
		if rep, err = j.scanAll(ctx, c); err == nil && rep.Complete {
			if counts, err = sift(ctx, j.folder, "scanned.ndjson"); err == nil {
				err = j.folder.save("counts.json", counts)
			}
		} else {
			return counts, false, err
		}
	}
	if err != nil {
		return counts, false, err
	}
	times := 0
	left := int64(0) // an earlier run, which was to read more often, may have left some for one more time
	for n := 1; n <= j.cfg.rereads || left > 0; n++ {
		if n > 1 || counts.Candidates > 0 {
			if goOn, err := j.wait(ctx); err != nil || !goOn {
				return counts, false, err
			}
		}
		rep, err := j.rereadAll(ctx, rows, n)
		if err != nil || !rep.Complete {
			return counts, false, err
		}
		times = n
		left, err = j.moved(ctx, n)
		if err != nil {
			return counts, false, err
		}
		if left == 0 {
			break
		}
	}
	return counts, true, j.collect(ctx, times, report)
}

// scanAll reads both tables side by side.
func (j *DiffJob) scanAll(ctx context.Context, c *comparison) (rxcql.Report, error) {
	var found atomic.Int64
	if j.folder.has("scanned.ndjson") { // what an earlier run has found, and a little that will be cut off
		err := eachLine(ctx, j.folder.file("scanned.ndjson"), func(l scanned) error {
			if l.Sums == nil && l.Unread == nil {
				found.Add(1)
			}
			return nil
		})
		if err != nil && !errors.Is(err, rxcql.ErrCheckpointDamaged) { // the last line may be cut
			return rxcql.Report{}, err
		}
	}
	pairs := source.TablePair[rxcql.Row, rxcql.Row](j.left.Session, j.left.quoted(), j.right.Session, j.right.quoted(), j.pairOptions(c)...)
	differing := scan(throttled(pairs, &j.cfg.config), c, &found, j.cfg.candidates)
	p, err := rxcql.New(differing, sink.NDJSON[scanned](j.folder.file("scanned.ndjson")),
		append(j.cfg.unsaved(), j.folder.lookingStep("scan")...)...)
	if err != nil {
		return rxcql.Report{}, err
	}
	return j.steps.run(ctx, p)
}

func (j *DiffJob) pairOptions(c *comparison) (opts []source.PairOption) {
	for _, opt := range j.cfg.ranges() {
		opts = append(opts, opt)
	}
	left, right := c.columns(false), c.columns(true)
	if len(left) == 0 { // a table of keys alone
		left, right = []string{c.key[0].left.Name}, []string{c.key[0].right.Name}
	}
	opts = append(opts, source.AdaptiveSplits(), source.Left(source.Columns(left...)), source.Right(source.Columns(right...)))
	if len(j.cfg.tokens) > 0 {
		opts = append(opts, source.Only(j.cfg.tokenRanges()...))
	}
	if c.times {
		opts = append(opts, source.Times())
	}
	return opts
}
