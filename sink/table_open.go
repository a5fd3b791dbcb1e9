package sink

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

// openBatches are the batches that wait for more rows, by key and by age. Partitions usually come
// one after the other, but may be interleaved, as pages of several token ranges are.
type openBatches struct {
	byKey  map[string]*batch
	oldest *batch
	newest *batch
	last   *batch // which took the last row
	held   int64  // bytes of all, as charged to the budget
}

// maxOpen is the most batches that wait. An eighth of the budget bounds them too.
const maxOpen = 64

func (o *openBatches) find(key []byte) *batch {
	if o.last != nil && string(o.last.key) == string(key) {
		return o.last
	}
	o.last = o.byKey[string(key)]
	return o.last
}

func (o *openBatches) add(b *batch) {
	if o.byKey == nil {
		o.byKey = map[string]*batch{}
	}
	o.byKey[string(b.key)] = b
	b.older = o.newest
	if o.newest != nil {
		o.newest.newer = b
	} else {
		o.oldest = b
	}
	o.newest, o.last = b, b
}

// count updates the bytes of all batches after a change of b.
func (o *openBatches) count(b *batch) {
	o.held += b.held - b.counted
	b.counted = b.held
}

func (o *openBatches) remove(b *batch) {
	o.held -= b.counted
	delete(o.byKey, string(b.key))
	if b.older != nil {
		b.older.newer = b.newer
	} else {
		o.oldest = b.newer
	}
	if b.newer != nil {
		b.newer.older = b.older
	} else {
		o.newest = b.older
	}
	b.older, b.newer = nil, nil
	if o.last == b {
		o.last = nil
	}
}

// add puts a row into the batch of its partition.
func (w *tableWriter[T]) add(ctx context.Context, page *flow.Reservation, p *plan, r batchRow, c cells) error {
	if len(p.table.ClusteringKey) == 0 || c.timed.alone() {
		// No other row of the partition will come, except as a later version of this one; or this one
		// needs several requests.
		b := w.newBatch()
		w.put(b, r, c)
		return w.send(ctx, page, b)
	}
	b := w.open.find(w.key)
	bytes := encodedSize(c.bound)
	if b != nil && (len(b.buf)+bytes > w.cfg.batchBytes || b.held+int64(bytes)+c.cost() > w.memory.batch) {
		if err := w.sendOpen(ctx, page, b); err != nil {
			return err
		}
		b = nil
	}
	if b == nil {
		b = w.newBatch()
		w.open.add(b)
	}
	w.put(b, r, c)
	w.open.count(b)
	if b.statements() >= w.cfg.batchRows || len(b.buf) >= w.cfg.batchBytes {
		return w.sendOpen(ctx, page, b)
	}
	return w.sendOldest(ctx, page, maxOpen)
}

// put puts a row into a batch.
func (w *tableWriter[T]) put(b *batch, r batchRow, c cells) {
	b.add(r, c.bound, w.nulls)
	if c.timed != nil {
		b.addTimed(c.timed)
	}
}

// sendOldest sends the batches that have waited longest, while more than most wait or they hold too
// many bytes.
func (w *tableWriter[T]) sendOldest(ctx context.Context, page *flow.Reservation, most int) error {
	for w.open.oldest != nil && (len(w.open.byKey) > most || w.open.held > w.memory.open) {
		if err := w.sendOpen(ctx, page, w.open.oldest); err != nil {
			return err
		}
	}
	return nil
}

func (w *tableWriter[T]) newBatch() *batch {
	b := w.free.Get().(*batch)
	b.key = append(b.key[:0], w.key...)
	b.reservation = w.account.Reservation()
	return b
}

func (w *tableWriter[T]) sendOpen(ctx context.Context, page *flow.Reservation, b *batch) error {
	w.open.remove(b)
	return w.send(ctx, page, b)
}
