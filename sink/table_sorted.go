package sink

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// sortLinger is how long rows wait at most until they are put in order.
const sortLinger = time.Second

// maxSortBytes bounds the rows that wait. More of them change little, and their place must fit into
// 32 bits.
const maxSortBytes = 64 << 20

// SortByToken gathers rows and sends them in the order of their partitions' tokens, many
// thousands at a time. It needs BatchByReplicaSet, and is for the same rows. Servers write rows
// in that order with less work, and rows of one partition come together, however far apart they
// were.
//
// Rows wait, encoded but without a request, until they take a quarter of the budget, or 64 MiB
// if that is less, at most a second. If several sinks of a run sort, each has its part of that.
// For each row 70 bytes count, and five quarters of its values' bytes; with dead letters the row
// itself too. With the 32 MiB of the command rxcql 60,000 rows of 40 bytes wait. They are then
// sorted, and go into batches as without the option, of which the last may wait for BatchLinger
// once more. A row that takes more than what may wait, by itself or in a request, goes without
// waiting. Rows of one token stay in the order in which they came. A save does not wait for a
// second, nor does a source that waits for pages to be settled: in a job at most 64 pages of a
// part of the source are read beyond the first that is not settled, which may be fewer rows.
//
// A page is settled when all rows that were sorted together with its rows are written.
//
// Which of two rows with one key wins does not change: timestamps are given in the order in
// which rows come, before they are sorted. Batches that are being filled take half as much of
// the budget as without the option, and so do those in flight. Rows with Times are not sorted.
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
	sinks *atomic.Int64 // of the run, that sort
	all   int64         // bytes of rows that may wait in all of these

	rows  waitingRows
	held  int64             // bytes of the rows
	pages *flow.Reservation // of the rows; nil while there are none
	owed  int64             // bytes of rows of the current page that it does not include yet
	since time.Time         // the end of the Write that brought the first of them; zero before that
	given *flow.Reservation // once rows go into batches: of one receipt, which settles pages
	spent time.Time         // when the last of the rows before these were in batches

	failed error // rows may be in no batch, or in two: no page is settled any more
}

// errUnsent is what a sink ends with that is used on, though rows could not be sent.
var errUnsent = errors.New("rows that waited to be sorted could not be sent")

type sortingSinks struct{}

// enlist counts a sink of a run in, if it sorts: all together may hold so many bytes.
func (s *sorting) enlist(r *rxcql.Execution, all int64) {
	if all == 0 {
		return
	}
	s.all = all
	s.sinks, _ = r.Shared(sortingSinks{}, func() any { return &atomic.Int64{} }).(*atomic.Int64)
	s.sinks.Add(1)
}

// most is how many bytes of rows may wait in this sink.
func (s *sorting) most() int64 { return s.all / s.sinks.Load() }

// await keeps a row until many can be sorted.
func (w *tableWriter[T]) await(ctx context.Context, page *flow.Reservation, token int64, r batchRow, c cells) error {
	s := &w.sorting
	most, cost, inBatch := s.most(), s.rows.costs(r, c.bound), w.sizeOf(token, c).held
	alone := max(cost, inBatch) > most // a row of many cells takes much more in a batch
	// If rows are in batches already, the goroutine that lets rows linger has found no room for all.
	if s.given != nil || alone || s.held+cost > most {
		s.take(page)
		if err := w.sendSorted(ctx); err != nil {
			return err
		}
	}
	if alone {
		return w.join(ctx, page, token, r, c)
	}
	if s.pages == nil {
		s.pages = w.account.Reservation()
	}
	s.rows.add(token, r, c.bound)
	s.owed += cost
	s.held += cost
	return nil
}

// take moves rows of the current page to the reservation of the rows that wait.
func (s *sorting) take(from *flow.Reservation) {
	if s.owed > 0 {
		s.pages.Take(from, s.owed)
		s.owed = 0
	}
}

// sort is called when rows are about to go into batches. Each batch then owes one receipt, which
// stands for those of all pages: with a hold on each of these for each batch there would be pages
// times batches. The bytes of the rows stay charged until all are in batches.
func (w *tableWriter[T]) sort() {
	s := &w.sorting
	s.rows.sort()
	if s.given == nil {
		s.given = w.account.Reservation()
		s.given.AddReceipt(flow.NewReceipt(s.pages.Settle))
	}
}

// sendSorted puts all rows that wait into batches, and waits while too much is in flight. If it
// fails, or panics, the receipts of all pages stay open. The run may go on for a while then.
func (w *tableWriter[T]) sendSorted(ctx context.Context) error {
	s := &w.sorting
	if s.pages == nil || s.failed != nil {
		return s.failed
	}
	s.failed = errUnsent // stays unless all rows are in batches
	for w.sort(); s.rows.left(); s.rows.taken() {
		token, r, bound := s.rows.next()
		if err := w.join(ctx, s.given, token, r, cells{bound: bound}); err != nil {
			return err
		}
	}
	w.sorted()
	return nil
}

// sendSortedDue does so with rows that have waited long enough, as far as there is room in flight.
// If there is no more, full is true. It returns how long rows may still wait; 0 if there are none.
func (w *tableWriter[T]) sendSortedDue(flush bool) (wait time.Duration, full bool) {
	s := &w.sorting
	switch {
	case s.failed != nil:
		return 0, false
	case s.pages == nil:
		return s.tidy(), false
	}
	if left := sortLinger - time.Since(s.since); left > 0 && !flush && s.given == nil {
		return left, false
	}
	for w.sort(); s.rows.left(); s.rows.taken() {
		token, r, bound := s.rows.next()
		of := w.sizeOf(token, cells{bound: bound})
		for b := w.crowded(of); b != nil; b = w.crowded(of) {
			if !w.workers.place(b) {
				w.takeSorted()
				return sortLinger, true
			}
			b.take(s.given)
			w.open.remove(b)
			w.workers.push(b)
		}
		w.enter(of, r, cells{bound: bound})
	}
	w.sorted()
	return s.tidy(), false
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

// sorted is called when all rows that waited are in batches.
func (w *tableWriter[T]) sorted() {
	s := &w.sorting
	w.takeSorted()
	s.pages.Release()
	s.given.Settle() // the batches have holds of their own
	s.rows.reset(s.most())
	s.pages, s.given, s.held, s.since, s.spent, s.failed = nil, nil, 0, time.Time{}, time.Now(), nil
}

// takeSorted has open batches take holds for rows that were sorted, before others may send them.
func (w *tableWriter[T]) takeSorted() {
	for b := w.open.oldest; b != nil; b = b.newer {
		b.take(w.sorting.given)
	}
}

// tidy frees the memory of rows if none have come for as long as rows wait: it is not charged. It
// returns when to call it again; 0 for never.
func (s *sorting) tidy() time.Duration {
	if s.rows.memory() == 0 {
		return 0
	}
	left := sortLinger - time.Since(s.spent)
	if left <= 0 {
		s.rows = waitingRows{}
	}
	return max(0, left)
}

// begins is called when the rows of a page are in batches, or wait to be sorted. It returns the
// time now, if it had to ask for it.
func (w *tableWriter[T]) begins(page *flow.Reservation) (now time.Time) {
	s := &w.sorting
	if s.pages == nil {
		if s.rows.memory() > 0 { // to tidy it
			w.linger.wake()
		}
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
	s := &w.sorting
	if s.pages != nil {
		s.pages.Release()
	}
	s.rows, s.pages, s.given = waitingRows{}, nil, nil
}
