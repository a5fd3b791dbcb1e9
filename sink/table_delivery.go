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
	// hopeless is how many rows of a batch of one partition are refused, with none taken, before
	// the rest is given up: a table that was dropped refuses every row.
	hopeless = 16
	// suspectBytes is the size from which a write may have failed at replicas because of its size.
	suspectBytes = 1 << 20
)

// delivery is the writing of one batch: what was written, and what is wrong with the rows that were
// not.
type delivery struct {
	requests *requests
	wire     wire
	batch    *batch
	written  int
	bad      []badRow // refused when sent alone
	errs     []error  // other errors
	attempt  int      // goes up when rows may have been written already
	unsure   []bool   // by row: not confirmed and may be written; nil if there is none
	asked    bool     // the server was asked whether it still takes the statement
	gone     bool     // and it does not
	times    *TimesCounts
}

// run writes the rows from..to. A row that the server refuses, as invalid or too large, is found by
// halving, so that it costs no other row: for one bad row among n, about 2 log n further requests.
func (d *delivery) run(ctx context.Context, from, to int) {
	if err := d.send(ctx, from, to); err != nil {
		d.failed(ctx, from, to, err)
		return
	}
	d.written += d.batch.written(from, to, d.times)
}

// failed halves a request that was refused, or notes why it failed.
func (d *delivery) failed(ctx context.Context, from, to int, err error) {
	switch {
	case d.refused(err, from, to) && to-from > 1:
		if driver.Classify(err).Ambiguous() || mayBeWritten(err) {
			d.attempt++
		}
		middle := from + (to-from)/2
		d.run(ctx, from, middle)
		if d.hopeless(ctx) {
			d.errs = append(d.errs, fmt.Errorf("%d more rows of the batch were not tried", to-middle))
			return
		}
		d.run(ctx, middle, to)
	case to-from == 1 && driver.ForTheRow(err):
		d.bad = append(d.bad, badRow{from, err})
	case to-from == 1:
		d.errs = append(d.errs, d.batch.rows[from].error(err))
	default:
		where := "one partition"
		if d.batch.several(from, to) {
			where = "one replica set"
		}
		d.errs = append(d.errs, fmt.Errorf("%d rows of %s, the first being %w", to-from, where, d.batch.rows[from].error(err)))
	}
}

// hopeless reports whether the rest of a batch whose rows are refused one by one need not be tried.
// If all refused rows are of one partition that says nothing about rows of others: then the server
// is asked, once, whether it takes the statement at all.
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
		d.gone = driver.Stands(ctx, last.err, func(ctx context.Context) error { return d.wire.prepares(ctx, cql) }) != nil
	}
	return d.gone
}

// refused reports whether an answer may be due to one row alone.
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

// err returns everything that is wrong, with the bad rows named.
func (d *delivery) err() error {
	var errs []error
	for _, bad := range d.bad {
		errs = append(errs, d.batch.rows[bad.row].error(bad.err))
	}
	return errors.Join(append(errs, d.errs...)...)
}

// error adds to an error the place of the row that it is about.
func (r *batchRow) error(err error) error { return rowError(r.at, r.index, err) }

// rowError names a row by its place: the part of the source, the page in that part, and the index
// in the page that came into the sink.
func rowError(at flow.Position, index int, err error) error {
	return &rxcql.RowError{Range: at.Part(), Page: at.Page, Row: at.RowIndex(index), Err: err}
}
