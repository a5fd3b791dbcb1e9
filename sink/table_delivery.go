package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

const (
	// hopeless is how many rows of a batch are found bad, and not one good,
	// before the rest is taken to be bad too, where they are of one partition: a
	// table that was dropped refuses every row.
	hopeless = 16
	// suspectBytes is the size from which a write that replicas fail at may
	// be failing because of it.
	suspectBytes = 1 << 20
)

// delivery is the writing of one batch: what was written, and what is wrong
// with the rows that were not.
type delivery struct {
	requests *requests
	wire     wire
	batch    *batch
	written  int
	bad      []badRow // refused by themselves
	errs     []error  // what else went wrong
	attempt  int      // goes up when rows may have been written already
	unsure   []bool   // rows not confirmed that may be written; nil for none
	asked    bool     // whether the statement is still taken
	gone     bool     // it is not
}

// run writes the rows from..to. Rows that the server refuses, as invalid or
// too large, are found by halving, so that one of them costs no other row: n
// rows with one that is bad take about 2 log n requests more.
func (d *delivery) run(ctx context.Context, from, to int) {
	if err := d.send(ctx, from, to); err != nil {
		d.failed(ctx, from, to, err)
		return
	}
	d.written += to - from
}

// failed halves a request that was refused, or notes why it failed.
func (d *delivery) failed(ctx context.Context, from, to int, err error) {
	switch {
	case d.refused(err, from, to) && to-from > 1:
		if driver.Classify(err).Ambiguous() {
			d.attempt++
		}
		middle := from + (to-from)/2
		d.run(ctx, from, middle)
		if d.hopeless(ctx) {
			d.errs = append(d.errs, fmt.Errorf("%d more rows of the batch were not tried", to-middle))
			return
		}
		d.run(ctx, middle, to)
	case to-from == 1 && forTheRow(err):
		d.bad = append(d.bad, badRow{from, err})
	case to-from == 1:
		d.errs = append(d.errs, d.batch.rows[from].error(err))
	default:
		where := "one partition"
		if d.batch.several(from, to) {
			where = "one replica set"
		}
		d.errs = append(d.errs, fmt.Errorf("%d rows of %s, the first of them %w", to-from, where, d.batch.rows[from].error(err)))
	}
}

// hopeless reports whether the rest of a batch that is refused row by row need not be
// tried. What is wrong with all rows of one partition says nothing of the rows of
// others: there the server is asked, once, whether it takes the statement at all.
func (d *delivery) hopeless(ctx context.Context) bool {
	if d.written > 0 || len(d.bad)+len(d.errs) < hopeless {
		return false
	}
	if len(d.errs) > 0 || !d.batch.several(0, len(d.batch.rows)) {
		return true
	}
	if !d.asked {
		d.asked = true
		last := d.bad[len(d.bad)-1]
		cql := d.batch.rows[last.row].statement.sent
		d.gone = stands(ctx, last.err, func(ctx context.Context) error { return d.wire.prepares(ctx, cql) }) != nil
	}
	return d.gone
}

// refused tells an answer that may be due to one row alone.
func (d *delivery) refused(err error, from, to int) bool {
	switch driver.Classify(err) {
	case driver.Invalid, driver.TooLarge, driver.FrameTooBig:
		return true
	case driver.WriteFailure:
		return d.batch.size(from, to) >= suspectBytes && d.attempt < attemptsPerRow-1
	}
	return false
}

func (b *batch) size(from, to int) int {
	first, _ := b.cells(from)
	_, after := b.cells(to - 1)
	size := int(b.ends[after-1].at)
	if first > 0 {
		size -= int(b.ends[first-1].at)
	}
	return size
}

// err is all that is wrong; the bad rows are named among it.
func (d *delivery) err() error {
	var errs []error
	for _, bad := range d.bad {
		errs = append(errs, d.batch.rows[bad.row].error(bad.err))
	}
	return errors.Join(append(errs, d.errs...)...)
}

// error says which row an error is about.
func (r *batchRow) error(err error) error { return rowError(r.at, r.index, err) }

// rowError names a row by its place: the part of the source, its page there,
// and the index in the page that came into the sink.
func rowError(at flow.Position, index int, err error) error {
	return &rxcql.RowError{Range: at.Part(), Page: at.Page, Row: at.RowIndex(index), Err: err}
}
