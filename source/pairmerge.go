package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// merging reads ranges of two tables side by side. Each worker has one; it belongs to one
// goroutine.
type merging[L, R any] struct {
	stage   *rxcql.Stage
	left    *side[L]
	right   *side[R]
	order   *keyorder.Order
	buffers buffers[rxcql.Pair[L, R]]

	room    *flow.Reservation // for what both sides have, and what they fetch
	part    part
	last    keyorder.Key // of the latest pair
	paired  bool         // there is a latest pair
	resumed bool         // rows up to the last key may come again
}

// merging returns what makes the reader of each worker.
func (p *pair[L, R]) merging(plan *pairPlan) func(*rxcql.Stage, buffers[rxcql.Pair[L, R]]) partReader[rxcql.Pair[L, R]] {
	return func(st *rxcql.Stage, buffers buffers[rxcql.Pair[L, R]]) partReader[rxcql.Pair[L, R]] {
		m := &merging[L, R]{
			stage: st, order: plan.order.Fork(), buffers: buffers,
			left: newSide("left", p.left, &plan.left, st), right: newSide("right", p.right, &plan.right, st),
		}
		if p.adaptive {
			m.left.cuts, m.right.cuts = newPairSlices(m.left), newPairSlices(m.right)
		}
		return m
	}
}

// read reads a range, see partReader.
func (m *merging[L, R]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[rxcql.Pair[L, R]]) error) error {
	track := p.track
	if track == nil {
		track = m.stage.Track(p.span)
	}
	n, state := track.From()
	if err := m.begin(p, state); err != nil {
		return m.stage.Fail(err)
	}
	defer m.end()
	for had := track.Rows(); ; n++ {
		if err := track.AwaitRoom(ctx); err != nil {
			return err
		}
		page, err := m.page(ctx, n, limit())
		if err != nil {
			return err
		}
		had += int64(len(page.rows) + len(page.bad))
		page.track, page.had = track, had
		last := page.Last // the page is no longer ours when it was sent
		if err := send(page); err != nil {
			page.Release() // it may not have been delivered
			return err
		}
		if last {
			return nil
		}
	}
}

// begin turns to a range, and to the place in it that an earlier run has left.
func (m *merging[L, R]) begin(p part, state []byte) error {
	place, err := parsePairPlace(state, p.span, m.order.Columns())
	if err != nil {
		return err
	}
	m.part = p
	m.left.begin(p, place.left)
	m.right.begin(p, place.right)
	m.left.cuts.leftBefore(place.holes[0])
	m.right.cuts.leftBefore(place.holes[1])
	m.last, m.paired = keyorder.Key{Cells: place.last}, place.last != nil
	m.resumed = m.paired
	return nil
}

// end gives back what the range still has.
func (m *merging[L, R]) end() {
	if m.room != nil {
		m.room.Release()
		m.room = nil
	}
	m.left.drop()
	m.right.drop()
}

// page fetches what is needed to pair on, at most so many rows of each table (0 for any number),
// and pairs as far as that goes.
func (m *merging[L, R]) page(ctx context.Context, n, most int64) (*fetched[rxcql.Pair[L, R]], error) {
	if err := m.reserve(ctx, n, most); err != nil {
		return nil, err
	}
	err := m.left.fetch(ctx, n, most)
	if err == nil {
		err = m.right.fetch(ctx, n, most)
	}
	if err != nil {
		m.room.Finish(err) // a worker that waits for room must not report an error of its own first
		return nil, err
	}
	m.room.Resize(m.left.bytes + m.right.bytes)
	if m.resumed {
		m.skip()
	}
	page := &fetched[rxcql.Pair[L, R]]{rows: m.buffers.get()}
	m.tell(page)
	if err := m.pair(page); err != nil {
		err = m.stage.Fail(&rxcql.RowError{Range: m.part.name, Page: n, Row: -1, Err: err})
		m.room.Finish(err)
		return nil, err
	}
	m.finish(page, n)
	return page, nil
}

// reserve reserves room for the pages of both tables, or waits until there is room for a page more
// next to what has not been paired yet.
func (m *merging[L, R]) reserve(ctx context.Context, n, most int64) (err error) {
	bytes := m.left.estimate(n == 0, most) + m.right.estimate(n == 0, most)
	if m.room != nil {
		return m.room.Refill(ctx, bytes)
	}
	m.room, err = m.stage.Input().Reserve(ctx, bytes)
	return err
}

// skip leaves out the rows that earlier runs have paired, of pages that are read again.
func (m *merging[L, R]) skip() {
	for m.left.more() && m.order.Compare(&m.left.key, &m.last) <= 0 {
		m.left.step()
	}
	for m.right.more() && m.order.Compare(&m.right.key, &m.last) <= 0 {
		m.right.step()
	}
	m.resumed = !m.left.ready() || !m.right.ready()
}

// pair pairs rows until a table has none left and its next page must be fetched, or both are over.
func (m *merging[L, R]) pair(page *fetched[rxcql.Pair[L, R]]) error {
	left, right := m.left, m.right
	for left.ready() && right.ready() && (left.more() || right.more()) {
		switch { // what is not known of one table leaves out rows of the other
		case left.more() && right.cuts.covers(&left.key):
			left.step()
			continue
		case right.more() && left.cuts.covers(&right.key):
			right.step()
			continue
		}
		order := -1
		switch {
		case !left.more():
			order = 1
		case right.more():
			order = m.order.Compare(&left.key, &right.key)
		}
		key, name := &left.key, left.name
		if order > 0 {
			key, name = &right.key, right.name
		}
		if m.paired && m.order.Compare(&m.last, key) >= 0 {
			return fmt.Errorf("%s table: %w", name, errRowOrder)
		}
		m.last, m.paired = *key, true
		left.cuts.passed(&m.last)
		right.cuts.passed(&m.last)
		m.add(page, order)
	}
	return nil
}

// errRowOrder is a guard: an order that is not the server's would make differences of equal rows.
var errRowOrder = errors.New("a row has come behind one that belongs behind it: " +
	"the order of this server's rows is not the one that is known here, so the tables cannot be read side by side")

// add adds the pair of the next row of the left table (order ≤ 0), of the right one (order ≥ 0), or
// of both. If one of the rows could not be decoded, that stands for the pair.
func (m *merging[L, R]) add(page *fetched[rxcql.Pair[L, R]], order int) {
	var row rxcql.Pair[L, R]
	var bad undecoded
	if order >= 0 {
		row.Right, row.HasRight = m.right.rows[m.right.at], true
		bad = m.right.step()
	}
	if order <= 0 {
		row.Left, row.HasLeft = m.left.rows[m.left.at], true
		if failed := m.left.step(); failed.err != nil {
			bad = failed
		}
	}
	if bad.err == nil {
		page.rows = append(page.rows, row)
		return
	}
	bad.index = len(page.rows) + len(page.bad)
	page.bad = append(page.bad, bad)
}

// finish completes a page of pairs. Its bytes are those of the tables' pages that are paired to
// their ends; a page that is not stays in memory as a whole, and with the range.
func (m *merging[L, R]) finish(page *fetched[rxcql.Pair[L, R]], n int64) {
	m.keepLast()
	last := m.left.over && m.right.over && !m.left.more() && !m.right.more()
	if !last {
		place := pairPlace{left: m.left.here(), right: m.right.here(), last: m.last.Cells}
		place.holes = [2][]slice{m.left.cuts.open(), m.right.cuts.open()}
		page.next = place.save()
	}
	var bytes int64
	for _, s := range []interface {
		more() bool
		drop() (bytes, received int64)
	}{m.left, m.right} {
		if !s.more() {
			taken, received := s.drop()
			bytes += taken
			page.received += received
		}
	}
	page.Page = flow.Page[rxcql.Pair[L, R]]{Rows: page.rows, Reservation: m.room.Split(bytes)}
	page.Position = flow.Position{Range: m.part.index, Page: n, Last: last}
}

// keepLast copies the last key, whose cells are in a page that may be dropped.
func (m *merging[L, R]) keepLast() {
	if !m.paired {
		return
	}
	size := 0
	for _, cell := range m.last.Cells {
		size += len(cell)
	}
	memory, cells := make([]byte, 0, size), make([][]byte, len(m.last.Cells))
	for i, cell := range m.last.Cells {
		if cell != nil {
			start := len(memory)
			memory = append(memory, cell...)
			cells[i] = memory[start:len(memory):len(memory)]
		}
	}
	m.last.Cells = cells
}
