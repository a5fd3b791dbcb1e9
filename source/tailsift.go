package source

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/rxcql/rxcql/internal/keyorder"
)

// sift moves rows of a partition, those that arrived up to a time, into a page if they were not
// given yet.
func (r *tailReader[T]) sift(p *pass[T], page *fetched[T], upTo int64) {
	for p.more() && p.arrived <= upTo {
		key := p.keyed.At(p.at)
		cells := key.Cells[:r.plan.order.Columns()]
		if !p.beyond && p.arrived >= p.complete {
			p.cross()
		}
		if !p.beyond {
			p.last = cells
		}
		undecodable := len(p.bad) > 0 && p.bad[0].index == p.at
		if r.isNew(p, key.Cells, cells) {
			if undecodable {
				row := p.bad[0]
				row.index = len(page.rows) + len(page.bad)
				page.bad = append(page.bad, row)
			} else {
				page.rows = append(page.rows, p.rows[p.at])
			}
		}
		if undecodable {
			p.bad = p.bad[1:]
		}
		p.at++
		r.look(p)
	}
}

// cross goes beyond the time up to which all was complete when the page was asked for. The edge
// stays there for the rest of the pass: later pages are too late for rows in between.
func (p *pass[T]) cross() {
	p.beyond, p.last = true, nil
	if p.complete > p.edge.at {
		p.edge, p.moved = tailEdge{at: p.complete}, true
	}
}

// isPast reports whether a row with this clustering key comes behind the edge.
func (r *tailReader[T]) isPast(p *pass[T], cells [][]byte) bool {
	return p.edge.after == nil || r.plan.order.Compare(&keyorder.Key{Cells: cells}, &keyorder.Key{Cells: p.edge.after}) > 0
}

func cloned(cells [][]byte) [][]byte {
	out := make([][]byte, len(cells))
	for i, cell := range cells {
		out[i] = append([]byte{}, cell...)
	}
	return out
}

// isNew reports whether the next row has not been given. It remembers the row if that will be read
// again. cells are those of its clustering key, the first ones of all.
func (r *tailReader[T]) isNew(p *pass[T], all, cells [][]byte) bool {
	if !p.begun {
		if !r.isPast(p, cells) {
			return false
		}
		p.begun = true
	}
	if !p.beyond && len(p.seen) == 0 {
		return true
	}
	hash := r.hash(cells)
	row := seenRow{arrived: p.arrived}
	if r.cfg.upserts {
		content := r.hash(all)
		row.content = max(1, binary.BigEndian.Uint64(content[:]))
	}
	if before, known := p.seen[hash]; known && (row.content == before.content || row.content == 0 || before.content == 0) {
		return false
	}
	if p.beyond {
		p.seen = r.place.see(p.of, hash, row)
		p.fresh = appendRow(p.fresh, hash, row)
		p.news++
	}
	return true
}

func (r *tailReader[T]) hash(cells [][]byte) (hash rowHash) {
	b := r.hashed[:0]
	for _, cell := range cells {
		if cell == nil {
			b = append(b, 0) // null
			continue
		}
		b = appendBytes(append(b, 1), cell)
	}
	r.hashed = b
	sum := sha256.Sum256(b)
	copy(hash[:], sum[:])
	return hash
}
