package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// badRow is a row of a batch that the server refused when it was sent alone.
type badRow struct {
	row int
	err error
}

// forTheRow tells a refusal that is due to the row, if the statement is taken.
func forTheRow(err error) bool {
	switch driver.Classify(err) {
	case driver.Invalid, driver.TooLarge, driver.FrameTooBig:
		return true
	}
	return false
}

// stands finds out whether the statement is still taken where the server has
// refused it, with values, as invalid: a table that was dropped or altered is no
// row's fault. A driver that knows the statement prepared answers by itself; it
// has forgotten it if it was that which the server refused.
func stands(ctx context.Context, refusal error, prepares func(context.Context) error) error {
	if driver.Classify(refusal) != driver.Invalid {
		return nil
	}
	err := prepares(ctx)
	if err == nil {
		return nil
	}
	if c := driver.Classify(err); c == driver.Invalid || c == driver.Syntax {
		err = fmt.Errorf("%w: the server takes the statement no more: %w", rxcql.ErrSchema, err)
	}
	return err
}

// refused deals with what is wrong after the delivery of a batch. Nil says that
// all rows are written or dealt with.
func (w *tableWriter[T]) refused(ctx context.Context, d *delivery) error {
	for _, bad := range d.bad {
		row := &d.batch.rows[bad.row]
		if w.fns.ttl == nil && driver.ExpiresTooLate(bad.err) { // no row's fault: all have that time to live
			return w.st.Fail(row.error(fmt.Errorf("%w: TTL: %w", rxcql.ErrConfig, bad.err)))
		}
		prepares := func(ctx context.Context) error { return w.wire.prepares(ctx, row.statement.sent) }
		if err := stands(ctx, bad.err, prepares); err != nil {
			return w.st.Fail(row.error(err))
		}
	}
	if len(d.errs) > 0 {
		return w.st.Fail(d.err())
	}
	var errs []error
	for _, bad := range d.bad {
		row := &d.batch.rows[bad.row]
		err := w.st.RowFailed(ctx, d.batch.reservation, rxcql.FailedRow{
			Position: row.at, Index: row.index, Row: row.kept.row(), Err: bad.err,
		})
		errs = append(errs, err)
		if errors.Is(err, rxcql.ErrSkipLimit) || err != nil && w.st.WantsFailedRows() {
			break // else, where any row that fails ends the run, all of them are named
		}
	}
	return errors.Join(errs...)
}

// blame is nil for an error of the statement that is the row's own, else the
// error to end with.
func (e *exec[T]) blame(ctx context.Context, err error) error {
	if !forTheRow(err) {
		return err
	}
	return stands(ctx, err, func(ctx context.Context) error {
		_, err := e.session.Describe(ctx, e.cql)
		return err
	})
}

// usersError is an error that a function of the user's returned, with the row that it
// is of, on its way to Stage.RowFailed.
type usersError struct {
	err error
	row any
}

func (e *usersError) Error() string { return e.err.Error() }

func (e *usersError) Unwrap() error { return e.err }

func ofUsers[T any](err error, row T) error {
	if err == nil {
		return nil
	}
	return &usersError{err, row}
}

// keptRow is a row as it came into the sink, kept until it is known how it fared,
// because it would become a dead letter. Nil is none.
type keptRow struct {
	value any
	bytes int64
}

// keeping returns the function that keeps rows, nil if no one wants them.
func keeping[T any](st *rxcql.Stage) func(*T) *keptRow {
	if !st.WantsFailedRows() {
		return nil
	}
	keep, size := rxcql.CloneFunc[T](), rxcql.SizeFunc[T]()
	return func(row *T) *keptRow { return &keptRow{keep(*row), int64(size(row))} }
}

func (k *keptRow) row() any {
	if k == nil {
		return nil
	}
	return k.value
}

func (k *keptRow) size() int64 {
	if k == nil {
		return 0
	}
	return k.bytes
}
