package operators

import (
	"context"
	"time"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// batching is one run of Batch. One goroutine at a time uses it.
type batching[T any] struct {
	batchConfig
	out     flow.Observer[[]T]
	account *flow.Account
	size    func(*T) int
	keep    func([]T)

	full [][]T // complete batches of this page; the slice is reused
	rows []T   // the batch that is not complete
	held int64 // its bytes
	room int   // capacity of the next one

	reservation *flow.Reservation // of rows whose page has gone
	behind      flow.Advances     // how far the parts that have rows in the open batch have come
	timer       *time.Timer       // nil without BatchLinger
	due         time.Time

	flushing func() bool
}

func newBatching[T any](st *rxcql.Stage, cfg batchConfig, out flow.Observer[[]T]) *batching[T] {
	b := &batching[T]{batchConfig: cfg, out: out, account: st.Account(cfg.linger > 0), flushing: st.FlushRequested}
	b.size, b.keep = rxcql.SizeFunc[T](), rxcql.CloneAllFunc[T]()
	b.room = firstRoom
	if cfg.count > 0 {
		b.room = min(cfg.count, firstRoom)
		if cfg.bytes == 0 && cfg.linger == 0 { // every batch except the last will be full
			var row T
			b.room = min(cfg.count, max(firstRoom, min(flow.DefaultPageRows, firstBytes/max(1, int(unsafe.Sizeof(row))))))
		}
	}
	return b
}

// The first batch is made with room for firstRoom rows. If only rows bound batches it has room for
// more, up to firstBytes.
const (
	firstRoom  = 16
	firstBytes = 64 << 10
)

func (b *batching[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	var fresh, sent int64 // bytes of this page: in the open batch, in complete ones
	end := func() {
		sent, fresh = sent+fresh, 0
		b.complete()
	}
	for rest := p.Rows; len(rest) > 0; {
		n, bytes, ends := b.next(rest)
		b.add(rest[:n], ends)
		rest, b.held, fresh = rest[n:], b.held+bytes, fresh+bytes
		if ends {
			end()
		}
	}
	before := b.reservation // of the batch that the page found open
	if len(b.full) > 0 {
		b.reservation = nil
	}
	holds := len(p.Rows) > 0 && len(b.rows) > 0
	if holds {
		b.hold(p, fresh)
	}
	switch {
	case len(b.full) > 0 && before != nil:
		before.Take(p.Reservation, sent)
		return b.join(ctx, p, before, holds)
	case holds || b.behind.HoldBack(p.PartID()):
		b.behind.Add(p.Advance())
		if len(b.full) == 0 {
			return nil
		}
		said := p.Hush()
		defer p.Say(said)
	case len(b.full) == 0 && !p.Says():
		return nil
	}
	return b.handOn(ctx, p.Reservation)
}

// next returns how many rows come into the open batch next, with their bytes, and reports whether
// the batch ends with them. There may be none, if the first of them is too large for what is there.
func (b *batching[T]) next(rows []T) (n int, bytes int64, ends bool) {
	if room := b.count - len(b.rows); b.count > 0 && room <= len(rows) {
		rows, ends = rows[:room], true
	}
	for i := range rows {
		size := int64(b.size(&rows[i]))
		if b.bytes > 0 && len(b.rows)+i > 0 && b.held+bytes+size > b.bytes {
			return i, bytes, true
		}
		bytes += size
		if b.bytes > 0 && b.held+bytes >= b.bytes {
			return i + 1, bytes, true
		}
	}
	return len(rows), bytes, ends
}

// add copies rows into the open batch, which ends with them or may grow.
func (b *batching[T]) add(rows []T, ends bool) {
	if b.rows == nil {
		room := max(b.room, len(rows))
		if ends {
			room = len(rows)
		}
		b.rows = make([]T, 0, room)
	}
	before := len(b.rows)
	b.rows = append(b.rows, rows...)
	b.keep(b.rows[before:])
}

// join hands on complete batches of which the first has rows of earlier pages, and then what was
// held back until these rows had gone. holds says that rows of p are in the open batch.
func (b *batching[T]) join(ctx context.Context, p *flow.Page[T], before *flow.Reservation, holds bool) error {
	if err := b.emit(ctx, before); err != nil {
		return err
	}
	if holds {
		b.behind.Add(p.Advance())
		return nil
	}
	if !p.Says() {
		return nil
	}
	return b.handOn(ctx, p.Reservation)
}

// hold takes over the bytes and receipts of those rows of p that are in the open batch.
func (b *batching[T]) hold(p *flow.Page[T], fresh int64) {
	if b.reservation == nil {
		b.reservation = b.account.Reservation()
		if b.timer != nil {
			linger := b.linger
			if b.flushing() {
				linger = 0
			}
			b.due = time.Now().Add(linger)
			b.timer.Reset(linger)
		}
	}
	b.reservation.Take(p.Reservation, fresh)
}

// complete closes the open batch.
func (b *batching[T]) complete() {
	b.room = max(len(b.rows), min(b.room, firstRoom))
	if cap(b.rows) > 2*len(b.rows) { // the unused capacity is charged to nobody
		b.rows = append(make([]T, 0, len(b.rows)), b.rows...)
	}
	b.full = append(b.full, b.rows)
	b.rows, b.held = nil, 0
}

// emit hands on the complete batches under a reservation of our own, and then how far the parts of
// their rows have come.
func (b *batching[T]) emit(ctx context.Context, reservation *flow.Reservation) error {
	err := flow.Emit(ctx, b.account, &flow.Page[[]T]{Rows: b.full, Reservation: reservation}, &b.behind, b.out)
	b.gone()
	return err
}

func (b *batching[T]) handOn(ctx context.Context, reservation *flow.Reservation) error {
	err := b.out.Next(ctx, &flow.Page[[]T]{Rows: b.full, Reservation: reservation})
	b.gone()
	return err
}

// gone notes that the complete batches have been handed on.
func (b *batching[T]) gone() {
	clear(b.full)
	b.full = b.full[:0]
}

// flush hands on the open batch as it is.
func (b *batching[T]) flush(ctx context.Context) error {
	if b.reservation == nil {
		return nil
	}
	reservation := b.reservation
	b.reservation = nil
	b.complete()
	return b.emit(ctx, reservation)
}

// expire is called when the timer has run out. The batch that it was set for may have gone
// meanwhile.
func (b *batching[T]) expire(ctx context.Context) error {
	if time.Now().Before(b.due) {
		return nil
	}
	return b.flush(ctx)
}

// giveUp gives up the open batch when the stream has ended with err.
func (b *batching[T]) giveUp(err error) {
	if b.reservation != nil {
		b.reservation.Finish(err)
	}
}

func (b *batching[T]) Done(ctx context.Context, stopped bool) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	return b.out.Done(ctx, stopped)
}

// Demand is known only if batches are bounded by rows.
func (b *batching[T]) Demand() int64 {
	batches := flow.DemandOf(b.out)
	if b.count == 0 || batches == 0 || batches > 1<<31 || b.count > 1<<31 {
		return 0
	}
	return batches*int64(b.count) - int64(len(b.rows))
}
