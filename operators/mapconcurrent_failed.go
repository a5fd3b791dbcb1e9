package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// failed tells the run of a row that failed. If it returns nil, the row is to be left out.
func (f *concurrency[T, U]) failed(ctx context.Context, j job[T, U], err error, users bool) error {
	f.mu.Lock() // the page's reservation is used by other workers too
	hold := f.account.Reservation()
	hold.Take(j.of.reservation, 0)
	f.mu.Unlock()
	err = f.st.RowFailed(ctx, hold, rxcql.FailedRow{Position: j.of.at, Index: j.index, Row: j.row, Err: err, Users: users})
	hold.Finish(err)
	return err
}

// leaveOut ends a row without a result, and reports whether the reader must be told.
func (f *concurrency[T, U]) leaveOut(c *inputPage[U], index int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished++
	defer f.makeRoom()
	f.replace(c, index, 0)
	if !f.unordered {
		if c.failed == nil {
			c.failed = make([]bool, len(c.done))
		}
		c.failed[index], c.done[index] = true, true
		f.leftOut++
		return f.queue[0] == c && c.next == index && f.announce()
	}
	f.delivered++ // for the window, it no longer takes room
	if f.limit > 0 {
		f.limit++ // downstream still wants as many rows
	}
	told := false
	c.left--
	if c.left == 0 {
		told = f.gone(c)
		c.reservation.Settle()
	}
	f.wake()
	return told && f.announce()
}

// resultsOf returns the results of rows from..to, except those that failed.
func (c *inputPage[U]) resultsOf(from, to int) []U {
	if c.failed == nil {
		return c.results[from:to]
	}
	kept := c.results[from:from]
	for i := from; i < to; i++ {
		if !c.failed[i] {
			kept = append(kept, c.results[i])
		}
	}
	return kept
}
