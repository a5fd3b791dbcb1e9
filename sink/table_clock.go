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

// clock gives the rows that a run writes into one table their write timestamps: from the run's
// start on, in microseconds, increasing with every row. So the later of two rows with one key wins
// in whatever order the writes arrive. A row that is sent again, by a retry or because a batch was
// split, keeps its timestamp. All sinks of the run that write the table share the clock, so the
// order holds among them too.
//
// Tables with a list that is not frozen are the exception. Such a list is written as "delete what
// is older than t, then append at t", so the same write twice at one t doubles every element. There
// attempt n of a row is sent at its timestamp plus n, which deletes the attempts before. Every row
// has a block of microseconds to itself: attemptsPerRow if it may have such a list, else one. So no
// attempt of a row reaches the next row, whichever sink writes that.
//
// The clock follows the rows, not the time. Above a million rows a second (62,500 with such a list)
// it runs ahead of the time, by at most maxLead; then rows wait. At the end of a run it waits until
// the time has caught up. So what is written after this run has returned, by a run or by anyone
// else with a true clock, is newer than every row of this run. A run that goes on where another was
// interrupted begins above all timestamps that the other can have given
// (rxcql.Execution.ReserveTimestamps), so no write of the other that still arrives can win.
type clock struct {
	run     *rxcql.Execution
	next    atomic.Int64  // the first microsecond that was given to no row
	ready   atomic.Int64  // timestamps before it may be given, see raise
	raising chan struct{} // has a token for the one who raises ready; waiting for it ends with a context
}

// clockOf names the clock of a table, by its id, among what a run shares.
type clockOf string

// tableClock returns the clock of a table in a run.
func tableClock(r *rxcql.Execution, tableID string) *clock {
	return r.Shared(clockOf(tableID), func() any { return newClock(r) }).(*clock)
}

func newClock(r *rxcql.Execution) *clock {
	c := &clock{run: r, raising: make(chan struct{}, 1)}
	c.next.Store(r.TimestampBase() + 1)
	c.ready.Store(r.TimestampBase() + 1)
	return c
}

// step returns how many timestamps a row needs: see clock.
func (t *table[T]) step(about *schema.Table) int64 {
	if !t.cfg.delete && slices.ContainsFunc(about.Columns, appends) {
		return attemptsPerRow
	}
	return 1
}

// maxLead is how far timestamps may be ahead of the time. That is checked every paceRows rows.
const (
	maxLead  = 250 * time.Millisecond
	paceRows = 1024
)

// take gives timestamps to so many rows, up to paceRows: it returns the first; each following row
// has a timestamp step microseconds later. It waits while the clock is too far ahead of the time,
// and until a job's checkpoint covers all timestamps that attempts of the rows may be sent at.
func (c *clock) take(ctx context.Context, rows int, step int64) (first int64, err error) {
	block := int64(rows) * step
	after := c.next.Add(block)
	if after > c.ready.Load() {
		err = c.raise(ctx, after-block, after, paceRows*step)
	}
	return after - block, err
}

// raise makes ready all timestamps below after, and those up to first+window, so that rows which
// come one by one need not each check the time.
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
