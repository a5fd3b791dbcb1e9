package transfer

import (
	"context"
	"fmt"
	"slices"
)

// Plan says what Run would read, and changes nothing. Requests are those of the first phase, for
// both tables; the second one makes two more for each row that seems to differ. Columns that cannot
// be compared, and keys that cannot be merged, are its error.
func (j *DiffJob) Plan(ctx context.Context) (Plan, error) {
	plan, err := comparePlan(ctx, "diff", j.left, j.right, j.cfg.compareConfig, &j.cfg.config)
	if err == nil && len(j.cfg.tokens) > 0 {
		plan.Notes = append(plan.Notes, fmt.Sprintf("only %d ranges of tokens are read; rows and bytes are those of the whole table", len(j.cfg.tokens)))
	}
	return plan, err
}

// Plan says what Run would compare and write with, and changes nothing. What is written depends on
// what the file names, and on what the rows are then.
func (j *RepairJob) Plan(ctx context.Context) (Plan, error) {
	c, rows, _, err := pairRows(ctx, j.left, j.right, j.cfg.compareConfig, &j.cfg.config, j.cfg.times)
	if err != nil {
		return Plan{}, err
	}
	m, err := j.maker(c, rows)
	if err != nil {
		return Plan{}, err
	}
	var named, ranges int64
	err = readDifferences(ctx, j.file, c, func(d Difference, _ repairItem) error {
		if d.Range != nil {
			ranges++
		} else {
			named++
		}
		return nil
	})
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Verb: "repair", From: j.left.String(), To: j.right.String(), Ranges: ranges, Known: ranges == 0, Rows: named, Partitions: named, Requests: 7 * named}
	plan.Lossy = j.losses(c, m)
	plan.Notes = append(plan.Notes, "deletions are not copied: a row that was deleted at the source, and that the target has, is extra")
	return plan, nil
}

// losses says what a repair cannot write as it was.
func (j *RepairJob) losses(c *comparison, m *rowMaker) (lossy []string) {
	for _, name := range m.untimed {
		lossy = append(lossy, fmt.Sprintf("column %q: the source cannot say when its elements were written; they get the newest time of their row", name))
	}
	for _, p := range slices.Concat(c.static, c.regular) {
		if isList(p.left.Type) {
			lossy = append(lossy, fmt.Sprintf("column %q: a list is written as a whole, a little later than its newest element", p.left.Name))
		}
	}
	return lossy
}

// comparePlan is the plan of reading two tables side by side.
func comparePlan(ctx context.Context, verb string, left, right *end, cfg compareConfig, shared *config) (Plan, error) {
	c, _, notes, err := pairRows(ctx, left, right, cfg, shared, shared.times)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Verb: verb, From: left.String(), To: right.String(), Notes: notes}
	for name := range cfg.leaveOut {
		plan.Differences = append(plan.Differences, fmt.Sprintf("column %q is left out", name))
	}
	slices.Sort(plan.Differences)
	for _, p := range slices.Concat(c.static, c.regular) {
		if p.left.Type.String() != p.right.Type.String() {
			plan.Differences = append(plan.Differences, fmt.Sprintf("column %q is %s, and %q is %s at the target: their values are compared as text",
				p.left.Name, p.left.Type, p.right.Name, p.right.Type))
		}
	}
	a, err := shared.estimate(ctx, left, c.left)
	if err != nil {
		return Plan{}, fmt.Errorf("source: %w", err)
	}
	b, err := shared.estimate(ctx, right, c.right)
	if err != nil {
		return Plan{}, fmt.Errorf("target: %w", err)
	}
	plan.Ranges, plan.Known = max(a.ranges, b.ranges), a.known && b.known
	if plan.Known {
		plan.Partitions, plan.Rows, plan.Bytes = max(a.partitions, b.partitions), max(a.rows, b.rows), a.bytes+b.bytes
		plan.Requests = 2*plan.Ranges + plan.Bytes/pageBytes
	}
	return plan, nil
}
