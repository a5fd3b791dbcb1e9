package transfer

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
)

// Plan says what a run would do now. It changes nothing: it reads the schema, estimates of the
// server and, for the number of rows, the keys of at most 5,000 rows.
func (j *CountJob) Plan(ctx context.Context) (Plan, error) {
	about, err := j.table.about(ctx)
	if err != nil {
		return Plan{}, err
	}
	if about.Virtual {
		return Plan{}, fmt.Errorf("%w: %w", rxcql.ErrSchema, j.virtual())
	}
	est, err := j.cfg.estimate(ctx, j.table, about)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Verb: "count", From: j.table.String(),
		Ranges: est.ranges, Known: est.known, Partitions: est.partitions, Rows: est.rows, Bytes: est.bytes,
	}
	if est.known {
		plan.Requests = est.ranges + est.bytes/pageBytes
		if !j.cfg.sizes {
			plan.Requests = est.ranges + est.rows/keyPageRows
		}
	}
	if j.cfg.largest > 0 {
		plan.Notes = append(plan.Notes, "the report names partitions by the values of their keys")
	}
	return plan, nil
}

// keyPageRows are about the rows of a page that has keys alone.
const keyPageRows = 10_000

func (j *CountJob) virtual() error {
	return fmt.Errorf("%s is a virtual table, which has no token ranges to count by: SELECT count(*) counts it", j.table)
}
