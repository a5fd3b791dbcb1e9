package sink

import (
	"context"
	"errors"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// sortLinger is how long rows wait at most until they are put in order.
const sortLinger = time.Second

// maxSortBytes bounds the rows that wait. More of them change little, and their place must fit into
// 32 bits.
const maxSortBytes = 64 << 20

// SortByToken gathers rows and sends them in the order of their partitions' tokens, many thousands
// at a time. It needs BatchByReplicaSet, and is for the same rows. Servers write rows in that order
// with less work, and rows of one partition come together, however far apart they were.
//
// Rows wait, encoded but without a request, until they take a quarter of the budget, at most a
// second. For each row 70 bytes count, and five quarters of its values' bytes: with the 32 MiB of
// the command rxcql 60,000 rows of 40 bytes wait. They are then sorted, and go into batches as
// without the option. Rows of one token stay in the order in which they came. In a job at most 64
// pages of a part of the source are read beyond the first that is not settled, which may be fewer
// rows.
//
// Which of two rows with one key wins does not change: timestamps are given in the order in which
// rows come, before they are sorted. Batches that are being filled, and those in flight, take half
// as much of the budget as without the option. Rows with Times are not sorted.
func SortByToken() TableOption {
	return tableOption(func(c *tableConfig) error {
		c.sorted = true
		return nil
	})
}

func (c *tableConfig) checkSorted() error {
	if c.sorted && !c.bySet.on() {
		return errors.New("SortByToken: it is for batches of several partitions; give BatchByReplicaSet too")
	}
	return nil
}

// sorts reports whether rows wait to be sorted.
func (c *tableConfig) sorts() bool { return c.sorted && c.times == nil }

// sorting is the rows of a sink with SortByToken that are not in batches yet.
type sorting struct {
	rows        waitingRows
	reservation *flow.Reservation // of these; nil while there are none
	owed        int64             // bytes of rows of the current page that it does not include yet
	held        int64             // bytes in all
	since       time.Time         // the end of the Write that brought the first of them; zero before that
}

// await keeps a row until many can be sorted.
func (w *tableWriter[T]) await(ctx context.Context, page *flow.Reservation, token int64, r batchRow, c cells) error {
	s := &w.sorting
	if s.rows.begun() { // the goroutine that lets rows linger has found no room for all of them
		if err := w.sendSorted(ctx); err != nil {
			return err
		}
	}
	if s.reservation == nil {
		s.reservation = w.account.Reservation()
	}
	cost := s.rows.add(token, r, c.bound)
	s.owed += cost
	s.held += cost
	if s.held < w.memory.sorting {
		return nil
	}
	s.take(page)
	return w.sendSorted(ctx)
}

// take moves rows of the current page to the reservation of the rows that wait.
func (s *sorting) take(from *flow.Reservation) {
	if s.owed > 0 {
		s.reservation.Take(from, s.owed)
		s.owed = 0
	}
}

// sendSorted puts all rows that wait into batches, and waits while too much is in flight.
func (w *tableWriter[T]) sendSorted(ctx context.Context) error {
	s := &w.sorting
	if s.reservation == nil {
		return nil
	}
	for s.rows.sort(); s.rows.left(); s.rows.taken() {
		token, r, bound := s.rows.next()
		if err := w.join(ctx, s.reservation, token, r, cells{bound: bound}); err != nil {
			return err
		}
	}
	w.sortedSent()
	return nil
}

// sendSortedDue does so with rows that have waited long enough, as long as workers are free. It
// returns how long rows may still wait; 0 if there are none.
func (w *tableWriter[T]) sendSortedDue(flush bool) time.Duration {
	s := &w.sorting
	if s.reservation == nil {
		return 0
	}
	if left := sortLinger - time.Since(s.since); left > 0 && !flush && !s.rows.begun() {
		return left
	}
	for s.rows.sort(); s.rows.left(); s.rows.taken() {
		token, r, bound := s.rows.next()
		of := w.sizeOf(token, cells{bound: bound})
		for b := w.crowded(of); b != nil; b = w.crowded(of) {
			if !w.workers.room(b) {
				w.takeSorted()
				return shortest
			}
			b.take(s.reservation)
			w.open.remove(b)
			w.workers.push(b)
		}
		w.enter(of, r, cells{bound: bound})
	}
	w.sortedSent()
	return 0
}

// crowded returns a batch that has to go before a row can be put into another one: the one of its
// replica set, if it does not fit there, or the oldest, if those that wait hold too many bytes.
func (w *tableWriter[T]) crowded(of rowSize) *batch {
	if b := w.unfit(of); b != nil {
		return b
	}
	if w.open.held > w.memory.open {
		return w.open.oldest
	}
	return nil
}

// sortedSent is called when all rows that waited are in batches.
func (w *tableWriter[T]) sortedSent() {
	s := &w.sorting
	w.takeSorted()
	s.reservation.Settle() // the batches have holds of their own
	s.rows.reset(w.memory.sorting)
	s.reservation, s.held, s.since = nil, 0, time.Time{}
}

// takeSorted moves rows that are in open batches to the reservations of these, before others may
// send them.
func (w *tableWriter[T]) takeSorted() {
	for b := w.open.oldest; b != nil; b = b.newer {
		b.take(w.sorting.reservation)
	}
}

// begins is called when the rows of a page are in batches, or wait to be sorted. It returns the
// time now, if it had to ask for it.
func (w *tableWriter[T]) begins(page *flow.Reservation) (now time.Time) {
	s := &w.sorting
	if s.reservation == nil {
		return now
	}
	if s.take(page); s.since.IsZero() {
		now = time.Now()
		s.since = now
		w.linger.wake()
	}
	return now
}

// giveUpSorting forgets the rows that wait, and leaves their receipts open.
func (w *tableWriter[T]) giveUpSorting() {
	if w.sorting.reservation != nil {
		w.sorting.reservation.Release()
	}
	w.sorting = sorting{}
}
