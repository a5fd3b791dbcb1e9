package sink

import (
	"context"
	"time"

	"github.com/rxcql/rxcql"
)

// attemptsPerRow is how many times a row may be sent at most, counting those
// after an answer that leaves open whether it was written.
const attemptsPerRow = 16

// clock gives the rows of a run their write timestamps: the run's start in
// microseconds, and up with every row. So the later of two rows with one key
// wins whatever order the writes arrive in, and a row sent again, by a retry or
// because a batch was split, carries the timestamp that it had.
//
// The exception are tables with a list that is not frozen. Such a list is
// written as "delete what is older than t, then append at t": the same write
// twice at one t gives every element twice. There attempt n of a row is sent
// at its timestamp plus n, which deletes the attempts before, and rows are
// attemptsPerRow apart so that no attempt of a row reaches the next row's.
//
// The clock follows the rows, not the time: past a million rows a second (62,500
// with such a list) it runs ahead of it, by maxLead at most; then rows wait. At the
// end of a run it waits until the time has caught up: a run, or anyone else with
// a true clock, that writes after this run has returned is newer than every row of
// it. A run that goes on where another was broken off begins above all that one can
// have given (rxcql.Run.ReserveTimestamps), so nothing that is still on its way from
// there wins.
type clock struct{ last, step int64 }

func newClock(epoch int64, lists bool) clock {
	if lists {
		return clock{last: epoch, step: attemptsPerRow}
	}
	return clock{last: epoch, step: 1}
}

func (c *clock) next() int64 {
	c.last += c.step
	return c.last
}

// maxLead is how far timestamps may be ahead of the time; it is looked at every
// paceRows rows.
const (
	maxLead  = 250 * time.Millisecond
	paceRows = 1024
)

// pace is called before every paceRows rows. It waits while the clock is too far
// ahead of the time, and until a job's checkpoint has all that attempts of these
// rows may be sent at.
func (c *clock) pace(ctx context.Context, r *rxcql.Run) error {
	if err := until(ctx, time.UnixMicro(c.last).Add(-maxLead)); err != nil {
		return err
	}
	return r.ReserveTimestamps(ctx, c.last+(paceRows+1)*c.step)
}

// catchUp waits until the time is past the last timestamp given, and past all
// that attempts of its row may have been sent at.
func (c *clock) catchUp(ctx context.Context) error { return until(ctx, time.UnixMicro(c.last+c.step)) }

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
