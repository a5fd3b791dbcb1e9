package source

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/rxcql/rxcql/internal/keyorder"
)

// sift moves rows of a partition, those that arrived up to a time, into a page if they were not
// given yet, and moves the edge.
func (r *tailReader[T]) sift(p *pass[T], page *fetched[T], upTo int64) {
	wasBeyond := p.beyond
	var last keyorder.Key // of a row that is complete
	for p.more() && p.arrived <= upTo {
		key := p.keyed.At(p.at)
		cells := key.Cells[:r.plan.order.Columns()]
		undecodable := len(p.bad) > 0 && p.bad[0].index == p.at
		if p.beyond = p.beyond || p.arrived >= p.complete; !p.beyond {
			last = keyorder.Key{Cells: cells}
		}
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
	switch {
	case !p.beyond && last.Cells != nil && r.isPast(p, last):
		arrived, _ := r.plan.arrived(last.Cells[0])
		p.edge, p.moved = tailEdge{at: arrived, after: cloned(last.Cells)}, true
	case p.beyond && !wasBeyond && p.complete > p.edge.at: // later pages are too late for rows in between
		p.edge, p.moved = tailEdge{at: p.complete}, true
	}
}

// isPast reports whether a row comes behind the edge.
func (r *tailReader[T]) isPast(p *pass[T], row keyorder.Key) bool {
	return p.edge.after == nil || r.plan.order.Compare(&row, &keyorder.Key{Cells: p.edge.after}) > 0
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
		if !r.isPast(p, keyorder.Key{Cells: cells}) {
			return false
		}
		p.begun = true
	}
	seen := r.place.seen[p.of]
	if !p.beyond && len(seen) == 0 {
		return true
	}
	hash := r.hash(cells)
	row := seenRow{arrived: p.arrived}
	if r.cfg.upserts {
		content := r.hash(all)
		row.content = max(1, binary.BigEndian.Uint64(content[:]))
	}
	if before, known := seen[hash]; known && (row.content == before.content || row.content == 0 || before.content == 0) {
		return false
	}
	if p.beyond {
		r.place.see(p.of, hash, row)
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
