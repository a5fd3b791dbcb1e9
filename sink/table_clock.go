package sink

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
)

// attemptsPerRow is how many times a row may be sent at most, counting those
// after an answer that leaves open whether it was written.
const attemptsPerRow = 16

// clock gives the rows that a run writes into one table their write timestamps: the
// run's start in microseconds, and up with every row. So the later of two rows with
// one key wins whatever order the writes arrive in, and a row sent again, by a retry
// or because a batch was split, carries the timestamp that it had. All sinks of the
// run that write the table have the same clock, so that holds between them too.
//
// The exception are tables with a list that is not frozen. Such a list is
// written as "delete what is older than t, then append at t": the same write
// twice at one t gives every element twice. There attempt n of a row is sent
// at its timestamp plus n, which deletes the attempts before. Every row has a block
// of microseconds to itself, attemptsPerRow where it may have such a list, else one.
// So no attempt of a row reaches the next row, whichever sink writes that.
//
// The clock follows the rows, not the time: past a million rows a second (62,500
// with such a list) it runs ahead of it, by maxLead at most; then rows wait. At the
// end of a run it waits until the time has caught up: a run, or anyone else with
// a true clock, that writes after this run has returned is newer than every row of
// it. A run that goes on where another was broken off begins above all that one can
// have given (rxcql.Execution.ReserveTimestamps), so nothing that is still on its way from
// there wins.
type clock struct {
	run     *rxcql.Execution
	next    atomic.Int64  // the first microsecond that no row has
	ready   atomic.Int64  // those before it may be given, see raise
	raising chan struct{} // a token for the one who raises ready; waiting for it ends with a context
}

// clockOf names the clock of a table, by its id, among what a run shares.
type clockOf string

// tableClock is the clock of a table in a run.
func tableClock(r *rxcql.Execution, tableID string) *clock {
	return r.Shared(clockOf(tableID), func() any { return newClock(r) }).(*clock)
}

func newClock(r *rxcql.Execution) *clock {
	c := &clock{run: r, raising: make(chan struct{}, 1)}
	c.next.Store(r.TimestampBase() + 1)
	c.ready.Store(r.TimestampBase() + 1)
	return c
}

// step is the block of timestamps that a row needs: see clock.
func (t *table[T]) step(about *schema.Table) int64 {
	if !t.cfg.delete && slices.ContainsFunc(about.Columns, appends) {
		return attemptsPerRow
	}
	return 1
}

// maxLead is how far timestamps may be ahead of the time; it is looked at every
// paceRows rows.
const (
	maxLead  = 250 * time.Millisecond
	paceRows = 1024
)

// take gives timestamps to so many rows, up to paceRows: the first one's, and from
// there on every step microseconds. It waits while the clock is too far ahead of the
// time, and until a job's checkpoint has all that attempts of the rows may be sent at.
func (c *clock) take(ctx context.Context, rows int, step int64) (first int64, err error) {
	block := int64(rows) * step
	after := c.next.Add(block)
	if after > c.ready.Load() {
		err = c.raise(ctx, after-block, after, paceRows*step)
	}
	return after - block, err
}

// raise makes ready what lies before after, and so much from first on that rows which
// come one by one do not look at the time each.
func (c *clock) raise(ctx context.Context, first, after, window int64) error {
	select {
	case c.raising <- struct{}{}:
		defer func() { <-c.raising }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if after <= c.ready.Load() { // by another sink meanwhile
		return nil
	}
	if err := until(ctx, time.UnixMicro(first).Add(-maxLead)); err != nil {
		return err
	}
	to := first + window
	if err := c.run.ReserveTimestamps(ctx, to); err != nil {
		return err
	}
	c.ready.Store(to)
	return nil
}

// catchUp waits until the time is past all that attempts of the rows may have been
// sent at.
func (c *clock) catchUp(ctx context.Context) error { return until(ctx, time.UnixMicro(c.next.Load())) }

func until(ctx context.Context, t time.Time) error {
	wait := time.Until(t)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
