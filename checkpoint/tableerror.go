package checkpoint

import (
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// fail says what could not be done, for which job. It adds the remedy, where the server's text does
// not say it.
func (r *cqlRow) fail(doing string, err error) error {
	switch driver.Classify(err) {
	case driver.Invalid, driver.Syntax:
		err = fmt.Errorf("%w: %w; checkpoint.CreateTable makes the table, as does CREATE TABLE %s %s",
			rxcql.ErrSchema, err, quoted(r.keyspace, r.table.table), TableColumns)
	case driver.Unauthorized:
		err = fmt.Errorf("%w; the role needs SELECT and MODIFY on the table", err)
	case driver.SessionClosed:
		err = fmt.Errorf("%w; close it after the run", err)
	case driver.TooLarge, driver.FrameTooBig:
		err = fmt.Errorf("%w; keep the checkpoint in a checkpoint.File, or have the server take larger writes "+
			"(max_mutation_size)", err)
	}
	return fmt.Errorf("checkpoint.Table %s: job %q: %s: %w", r.name, r.job, doing, err)
}
