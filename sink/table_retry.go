package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// send writes the rows from..to of the batch as one request, and retries it while its failure may
// pass. A failure that may be due to some of the rows is left to halving.
func (d *delivery) send(ctx context.Context, from, to int) error {
	e := d.requests.of(to-from, int64(d.batch.size(from, to)))
	unsure, err := d.requests.attempt(ctx, ctx, e, func(ctx context.Context) error {
		return sendTo(ctx, d.wire, d.batch, from, to, d.attempt)
	})
	if err != nil {
		unsure, err = d.retry(ctx, e, from, to, unsure, err)
	}
	if d.unsure != nil || unsure {
		d.note(from, to, err != nil, unsure)
	}
	return err
}

func (d *delivery) retry(ctx context.Context, e rxcql.WriteEvent, from, to int, unsure bool, err error) (bool, error) {
	r := &retrying{wire: d.wire, batch: d.batch, from: from, to: to, attempt: d.attempt, lists: d.batch.lists(from, to)}
	unsure, err = r.run(ctx, d.requests, e, unsure, err)
	d.attempt = r.attempt
	return unsure, err
}

// sendTo makes one attempt.
func sendTo(ctx context.Context, to wire, b *batch, first, after, attempt int) error {
	err := to.send(ctx, b, first, after, attempt)
	if err != nil {
		err = b.inPart(first, after, err)
	}
	return err
}

func (b *batch) inPart(first, after int, err error) error {
	if b.several(first, after) && driver.Classify(err) == driver.Unavailable {
		return &inPartError{err}
	}
	return err
}

// inPartError is an answer of Unavailable to a batch of several partitions. The server writes these
// one by one, and may have found too few replicas alive only at a later one. It is also any failure
// of a row with times that needs several requests, behind the first of them.
type inPartError struct{ error }

func (e *inPartError) Unwrap() error { return e.error }

// mayBeWritten is driver.MayBeApplied for the requests of Table.
func mayBeWritten(err error) bool {
	var inPart *inPartError
	return errors.As(err, &inPart) || driver.MayBeApplied(err)
}

// note remembers for which rows it is open whether they are written.
func (d *delivery) note(from, to int, failed, unsure bool) {
	if d.unsure == nil {
		d.unsure = make([]bool, len(d.batch.rows))
	}
	for i := from; i < to; i++ {
		d.unsure[i] = failed && (unsure || d.unsure[i])
	}
}

// unknown returns the number of rows that were not confirmed and may be written.
func (d *delivery) unknown() (n int) {
	for i, unsure := range d.unsure {
		if unsure && !d.batch.extra(i) {
			n++
		}
	}
	return n
}

// retrying is a request that is retried. It has copies of the fields of the delivery that it needs,
// so that a delivery without failures costs no allocation.
type retrying struct {
	wire     wire
	batch    *batch
	from, to int
	attempt  int
	lists    bool // the rows have a list that is not frozen: see clock
}

func (r *retrying) run(ctx context.Context, q *requests, e rxcql.WriteEvent, applied bool, first error) (unsure bool, err error) {
	unsure, err = q.retry(ctx, e, applied, first, r.may, func(ctx context.Context, applied bool) error {
		if applied && r.lists {
			r.attempt++
		}
		return sendTo(ctx, r.wire, r.batch, r.from, r.to, r.attempt)
	})
	if err != nil && driver.MayPass(err) && r.spent(err) {
		err = fmt.Errorf("sent %d times, the maximum for rows with a list that is not frozen: %w", attemptsPerRow, err)
	}
	return unsure, err
}

// may reports whether the request may be retried. Failures that smaller requests may avoid are left
// to halving.
func (r *retrying) may(err error) bool {
	halves := r.to-r.from > 1 && (&delivery{batch: r.batch, attempt: r.attempt}).refused(err, r.from, r.to)
	return driver.MayPass(err) && !halves && !r.spent(err)
}

// spent reports whether the next attempt's timestamp would be that of the next row.
func (r *retrying) spent(err error) bool {
	return r.lists && r.attempt == attemptsPerRow-1 && mayBeWritten(err)
}

func (b *batch) lists(from, to int) bool {
	for i := from; i < to; i++ {
		if b.rows[i].statement.lists || len(b.timed.rows) > 0 && b.timed.rows[i].lists {
			return true
		}
	}
	return false
}
