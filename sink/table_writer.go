package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// tableWriter is a table sink in one run. The goroutine that writes encodes rows and gathers them
// into batches; workers send the batches.
type tableWriter[T any] struct {
	st      *rxcql.Stage
	cfg     *tableConfig
	fns     rowFuncs[T]
	keep    func(*T) *keptRow // nil unless failed rows are needed
	account *flow.Account
	nulls   driver.State
	memory  memory

	// gathering holds a token while the fields below are in use, by Write or Flush or the timer. It
	// is not a mutex, because it is held while waiting for room.
	gathering chan struct{}
	rows      encoder[T]
	timed     *timedEncoder // instead, if rows have times
	shaper    shaper
	clock     *clock // shared by all sinks of this table; nil if rows have timestamps of their own
	step      int64  // from the timestamp of a row to the next
	stamp     int64  // of the next row
	key       []byte
	routing   routing
	open      openBatches
	sorting   sorting // empty without SortByToken
	free      sync.Pool

	wire     wire
	same     sameness
	requests *requests
	workers  *workers[*batch]
	linger   *lingering
}

func (t *table[T]) open(ctx context.Context, r *rxcql.Execution, to *target[T], wire wire) *tableWriter[T] {
	st := r.SinkStage(t.stage())
	writes := "rows"
	switch {
	case t.cfg.delete:
		writes = "deletes"
	case t.cfg.times != nil:
		writes = "rows with their times"
	}
	st.Identify(rxcql.Fact{Name: "table id", Value: to.about.ID}, rxcql.Fact{Name: "writes", Value: writes})
	w := &tableWriter[T]{
		st: st, cfg: &t.cfg, fns: t.fns, account: st.Account(true), nulls: driver.Unset, memory: memoryOf(r.Budget(), t.cfg.sorts()),
		step: t.step(to.about), gathering: make(chan struct{}, 1),
		wire: wire, same: to.options.same, linger: newLingering(st, t.cfg.linger),
	}
	switch {
	case t.cfg.times != nil:
		w.timed = newTimedEncoder(r, to.about, t.columns, t.cfg.times, to.options)
	case t.fns.timestamp == nil:
		w.clock = tableClock(r, to.about.ID)
	}
	if to.fork != nil {
		w.rows = to.fork()
	}
	w.account.Expect(w.memory.most())
	t.counts(ctx, to.about)
	if t.cfg.nullsDelete {
		w.nulls = driver.Null
	}
	w.requests = newRequests(st, t.cfg.inFlight, t.cfg.rate, mayBeWritten, t.event(to.about))
	w.keep = keeping[T](st)
	w.routing.sets = to.sets
	w.sorting.enlist(r, w.memory.sorting)
	w.free.New = func() any { return &batch{} }
	w.workers = newWorkers(ctx, st, newFlight(t.cfg.inFlight, w.memory.flight), func(b *batch) int64 { return b.held }, w.write)
	w.workers.group.Go(w.lingerer)
	return w
}

func (w *tableWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	if err := w.workers.failed.get(); err != nil {
		return err
	}
	w.st.CountIn(len(p.Rows))
	w.gathering <- struct{}{}
	defer func() { <-w.gathering }()
	err := w.st.Protect(func() error { return w.gather(ctx, p) })
	now := w.begins(p.Reservation)
	for b := w.open.oldest; b != nil; b = b.newer {
		b.take(p.Reservation)
		if !b.waits.IsZero() {
			continue
		}
		if now.IsZero() {
			now = time.Now()
			w.linger.wake()
		}
		b.waits = now
	}
	return err
}

// gather puts the rows of a page into batches, and sends those that are full.
func (w *tableWriter[T]) gather(ctx context.Context, p *flow.Page[T]) error {
	for i := range p.Rows {
		if i%paceRows == 0 && w.clock != nil {
			var err error
			if w.stamp, err = w.clock.take(ctx, min(paceRows, len(p.Rows)-i), w.step); err != nil {
				return err
			}
		}
		if w.timed != nil {
			if err := w.gatherTimed(ctx, p, i); err != nil {
				return err
			}
			continue
		}
		plan, r, cells, err := w.row(&p.Rows[i])
		if err != nil {
			if errors.Is(err, rxcql.ErrSchema) { // not the fault of this row: all have these columns
				return w.st.Fail(err)
			}
			if err := w.st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}); err != nil {
				return err
			}
			continue
		}
		r.at, r.index = p.Position, i
		if w.keep != nil {
			r.kept = w.keep(&p.Rows[i])
		}
		if w.routing.sets != nil {
			err = w.addToSet(ctx, p.Reservation, plan, r, cells)
		} else {
			w.key = plan.key(w.key[:0], cells.all)
			err = w.add(ctx, p.Reservation, plan, r, cells)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cells of a row: one for each column (of rows with times, those of the key), and those that its
// statements bind.
type cells struct {
	all, bound []codec.Cell
	timed      *timedUnit // nil unless rows have times
}

// cost returns what the row takes in addition to the bytes of its cells.
func (c *cells) cost() int64 { return costOf(len(c.bound)) + c.timed.cost() }

// row encodes a row and gives it its timestamp.
func (w *tableWriter[T]) row(row *T) (p *plan, r batchRow, c cells, err error) {
	if p, c.all, err = w.rows.encode(row); err != nil {
		return p, r, c, err
	}
	if r.statement, c.bound, err = w.shaper.shape(p, c.all); err != nil {
		return p, r, c, err
	}
	r.ttl = w.cfg.ttl
	if w.clock != nil {
		r.timestamp = w.stamp
		w.stamp += w.step
	} else if r.timestamp = w.fns.timestamp(*row); r.timestamp <= 0 {
		return p, r, c, errors.New("the function given to TimestampOf must return a number above 0")
	}
	if w.fns.ttl != nil {
		if r.ttl, err = ttlSeconds(w.fns.ttl(*row)); err != nil {
			return p, r, c, fmt.Errorf("the function given to TTLOf: %w", err)
		}
	}
	return p, r, c, nil
}

// send hands a batch to the workers, and waits while too much is in flight. page is the reservation
// of the rows being written, nil if none are.
func (w *tableWriter[T]) send(ctx context.Context, page *flow.Reservation, b *batch) error {
	if page != nil {
		b.take(page)
	}
	err := w.workers.hand(ctx, b)
	if err != nil {
		b.reservation.Release()
	}
	return err
}

func (w *tableWriter[T]) Flush(ctx context.Context) error {
	w.gathering <- struct{}{}
	defer func() { <-w.gathering }()
	if err := w.sendSorted(ctx); err != nil {
		return err
	}
	for w.open.oldest != nil {
		if err := w.sendOpen(ctx, nil, w.open.oldest); err != nil {
			return err
		}
	}
	if err := w.workers.flush(ctx); err != nil {
		return err
	}
	if err := unchanged(ctx, w.same); err != nil {
		return w.st.Fail(err)
	}
	if w.clock == nil {
		return nil
	}
	return w.clock.catchUp(ctx)
}

func (w *tableWriter[T]) Close() error {
	w.linger.stop()
	w.gathering <- struct{}{}
	for b := w.open.oldest; b != nil; b = b.newer {
		b.reservation.Release()
	}
	w.open = openBatches{}
	w.giveUpSorting()
	<-w.gathering
	w.requests.close()
	err := w.workers.close() // no batch is open, so the timer hands nothing over
	if w.timed != nil {
		w.timed.lists.wait()
	}
	return err
}

// write delivers a batch, in the goroutine of a worker.
func (w *tableWriter[T]) write(ctx context.Context, b *batch) error {
	done := false
	defer func() {
		if !done { // a hook may have panicked
			b.reservation.Release() // and leave the receipts open
		}
	}()
	if err := w.workers.over(); err != nil {
		return err
	}
	d := delivery{requests: w.requests, wire: w.wire, batch: b}
	if w.cfg.times != nil {
		d.times = w.cfg.times.counts
	}
	d.run(ctx, 0, len(b.rows))
	if d.written > 0 {
		w.st.CountWritten(d.written)
	}
	if n := d.unknown(); n > 0 {
		w.st.CountUnknown(n)
	}
	if err := w.refused(ctx, &d); err != nil {
		return err
	}
	done = true
	b.reservation.Settle()
	b.reset(2*w.cfg.batchBytes, w.memory.reuse)
	w.free.Put(b)
	return nil
}
