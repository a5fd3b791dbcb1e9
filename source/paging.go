package source

import (
	"context"
	"errors"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/stopping"
)

// paging gathers rows of an in-memory source into pages.
type paging[T any] struct {
	st          *rxcql.Stage
	out         flow.Observer[T]
	rows        []T
	bad         []undecoded // of these, rows that could not be read
	reservation *flow.Reservation
	size        func(*T) int
	bytes       int64
	want        int64 // bytes that fill a page
	max         int
	page        int64
	last        bool

	track *flow.Track
	state func() []byte // the position after the rows so far; nil if the source has none

	measure func() (done, total float64) // how far the source is; nil if not known

	limit int64 // rows that downstream can use in all, 0 for no limit
	taken int64
}

// newPaging makes the pages of a track. If track is nil, no run has begun it.
func newPaging[T any](ctx context.Context, st *rxcql.Stage, out flow.Observer[T], rows int, track *flow.Track) *paging[T] {
	st.CountRanges(1)
	st.Parts(ctx, flow.Parts{Count: 1})
	if track == nil {
		track = st.Track(flow.WholeRange)
	}
	page, _ := track.From()
	return &paging[T]{st: st, out: out, max: rows, track: track, page: page, size: rxcql.SizeFunc[T](), limit: flow.DemandOf(out)}
}

func (b *paging[T]) interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case <-b.st.Run().Stopping():
		return stopping.Err
	default:
		return nil
	}
}

// add takes a row. It delivers the page when that is full, by rows or by bytes, or has all rows
// that downstream can use: so no row is taken from a channel only to be dropped.
func (b *paging[T]) add(ctx context.Context, row T) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	b.rows = append(b.rows, row)
	b.bytes += int64(b.size(&b.rows[len(b.rows)-1]))
	if b.taken++; b.taken == b.limit {
		return b.deliver(ctx)
	}
	return b.full(ctx)
}

// badCost is what a row that could not be read takes in addition to its text: its error, and what
// is known of it.
const badCost = 512

// leaveOut is add for a row that could not be read. text is the length of its text. The run is told
// when the page is delivered.
func (b *paging[T]) leaveOut(ctx context.Context, row any, text int, err error) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	b.bad = append(b.bad, undecoded{index: len(b.rows) + len(b.bad), row: row, err: err})
	b.bytes += int64(badCost + text)
	return b.full(ctx)
}

// begin reserves bytes for a page, unless that has been done.
func (b *paging[T]) begin(ctx context.Context) error {
	if b.reservation != nil {
		return nil
	}
	if err := b.track.AwaitRoom(ctx); err != nil {
		return err
	}
	var zero T
	guess := max(b.bytes, int64(b.max)*int64(unsafe.Sizeof(zero)))
	reservation, err := b.st.Input().Reserve(ctx, guess)
	if err != nil {
		return err
	}
	b.reservation, b.bytes, b.want = reservation, 0, b.st.Input().PageBytes()
	return nil
}

func (b *paging[T]) full(ctx context.Context) error {
	if len(b.rows)+len(b.bad) >= b.max || b.bytes >= b.want {
		return b.deliver(ctx)
	}
	return nil
}

func (b *paging[T]) deliver(ctx context.Context) error {
	if b.reservation == nil {
		if !b.last {
			return nil
		}
		reservation, err := b.st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		b.reservation, b.bytes = reservation, 0
	}
	err := b.handOn(ctx, b.rows)
	clear(b.rows)
	b.rows, b.bad = b.rows[:0], nil
	return err
}

// handOn delivers a page of rows, which take b.bytes, under the reservation that begin made.
func (b *paging[T]) handOn(ctx context.Context, rows []T) error {
	p := &flow.Page[T]{Rows: rows, Reservation: b.reservation}
	p.Position = flow.Position{Page: b.page, Last: b.last}
	p.Resize(b.bytes)
	b.page++
	var next []byte
	if b.state != nil {
		next = b.state()
	}
	err := flow.Deliver(ctx, b.track, p, b.bytes, next, reporting(b.st, b.out, b.bad))
	if err == nil && b.measure != nil {
		b.st.Measured(b.measure())
	}
	b.reservation = nil
	return err
}

// drop releases what was reserved for a page that is not delivered.
func (b *paging[T]) drop() {
	if b.reservation != nil {
		b.reservation.Release()
	}
}

// end delivers what is left, and tells downstream how the source ended.
func (b *paging[T]) end(ctx context.Context, err error) error {
	if err != nil && !errors.Is(err, stopping.Err) {
		return err
	}
	stopped := err != nil
	b.last = !stopped
	if err := b.deliver(ctx); err != nil {
		return err
	}
	return b.out.Done(ctx, stopped)
}
