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

// refused deals with what is wrong after the delivery of a batch. If it returns nil, all rows are
// written or dealt with.
func (w *tableWriter[T]) refused(ctx context.Context, d *delivery) error {
	for _, bad := range d.bad {
		row := &d.batch.rows[bad.row]
		if w.fns.ttl == nil && w.timed == nil && driver.ExpiresTooLate(bad.err) { // no row is to blame: all have that time to live
			return w.st.Fail(row.error(fmt.Errorf("%w: TTL: %w", rxcql.ErrConfig, bad.err)))
		}
		prepares := func(ctx context.Context) error { return w.wire.prepares(ctx, row.statement.sent) }
		if err := driver.Stands(ctx, bad.err, prepares); err != nil {
			return w.st.Fail(row.error(err))
		}
	}
	if len(d.errs) > 0 {
		return w.st.Fail(d.err())
	}
	var errs []error
	for i, bad := range d.bad {
		row := &d.batch.rows[bad.row]
		if i > 0 && d.batch.sameRow(d.bad[i-1].row, bad.row) {
			continue
		}
		err := w.st.RowFailed(ctx, d.batch.reservation, rxcql.FailedRow{
			Position: row.at, Index: row.index, Row: row.kept.row(), Err: bad.err,
		})
		errs = append(errs, err)
		if errors.Is(err, rxcql.ErrSkipLimit) || err != nil && w.st.WantsFailedRows() {
			break // if instead any row that fails ends the run, all of them are named
		}
	}
	return errors.Join(errs...)
}

// blame returns nil if an error of the statement is due to its row, else the error to end with.
func (e *exec[T]) blame(ctx context.Context, err error) error {
	if !driver.ForTheRow(err) {
		return err
	}
	return driver.Stands(ctx, err, func(ctx context.Context) error {
		_, err := e.session.Describe(ctx, e.cql)
		return err
	})
}

// usersError is an error that a function of the user's returned, with its row, on its way to
// Stage.RowFailed.
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

// keptRow is a row as it came into the sink. It is kept for a dead letter, until it is known that
// the row did not fail. Nil means none.
type keptRow struct {
	value any
	bytes int64
}

// keeping returns the function that keeps rows, nil if none are needed.
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
