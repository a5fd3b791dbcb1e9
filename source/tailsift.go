package source

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/rxcql/rxcql/internal/keyorder"
)

// sift moves rows of a partition, those that arrived up to a time, into a page if they were not
// given yet. It reports whether it has stopped before a row that cannot be in one page with those
// before it, see tailReread.
func (r *tailReader[T]) sift(p *pass[T], page *fetched[T], upTo int64) (cut bool) {
	for p.more() && p.arrived <= upTo {
		key := p.keyed.At(p.at)
		cells := key.Cells[:r.plan.order.Columns()]
		if !p.beyond && p.arrived >= p.complete {
			p.cross()
		}
		r.hashed = false
		isNew := r.isNew(p, key.Cells, cells)
		if isNew && r.reread != nil {
			before := r.hadRead(p, key.Cells, cells)
			switch {
			case !before && p.arrived >= p.top: // its time has not come
				isNew = false
			case len(page.rows)+len(page.bad) == 0:
				r.reread.before = before
			case r.reread.before != before:
				return true
			}
		}
		if !p.beyond {
			p.last = cells
		}
		undecodable := len(p.bad) > 0 && p.bad[0].index == p.at
		if isNew {
			if p.beyond {
				r.remember(p, key.Cells, cells)
			}
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
	return false
}

// cross goes beyond the time up to which all was complete when the page was asked for. The edge
// stays there for the rest of the pass: later pages are too late for rows in between.
func (p *pass[T]) cross() {
	p.beyond, p.last = true, nil
	if p.complete > p.edge.at {
		p.edge, p.moved = tailEdge{at: p.complete}, true
	}
}

// isPast reports whether a row with this clustering key comes behind an edge, if it did not arrive
// before that.
func (r *tailReader[T]) isPast(edge *tailEdge, cells [][]byte) bool {
	return edge.after == nil || r.plan.order.Compare(&keyorder.Key{Cells: cells}, &keyorder.Key{Cells: edge.after}) > 0
}

func cloned(cells [][]byte) [][]byte {
	out := make([][]byte, len(cells))
	for i, cell := range cells {
		out[i] = append([]byte{}, cell...)
	}
	return out
}

// isNew reports whether the next row has not been given. cells are those of its clustering key, the
// first ones of all.
func (r *tailReader[T]) isNew(p *pass[T], all, cells [][]byte) bool {
	if !p.begun {
		if !r.isPast(&p.edge, cells) {
			return false
		}
		p.begun = true
	}
	return len(p.seen) == 0 || !p.seen.has(r.key(p, all, cells))
}

// remember notes that the next row is given, since it will be read again.
func (r *tailReader[T]) remember(p *pass[T], all, cells [][]byte) {
	row := r.key(p, all, cells)
	p.seen = r.place.see(p.of, row.hash, row.seenRow)
	p.fresh.add(row.hash, row.seenRow)
}

// tailRow is what a row is known by.
type tailRow struct {
	hash rowHash
	seenRow
}

// has reports whether the row is among those, with the same values if that matters.
func (s seenRows) has(row *tailRow) bool {
	before, known := s[row.hash]
	return known && (row.content == before.content || row.content == 0 || before.content == 0)
}

// key returns what the next row is known by, which it finds out once.
func (r *tailReader[T]) key(p *pass[T], all, cells [][]byte) *tailRow {
	if r.hashed {
		return &r.row
	}
	r.hashed = true
	r.row = tailRow{hash: r.hash(cells), seenRow: seenRow{arrived: p.arrived}}
	if r.cfg.upserts {
		content := r.hash(all)
		r.row.content = max(1, binary.BigEndian.Uint64(content[:])>>8) // 8 bytes in a record
	}
	return &r.row
}

func (r *tailReader[T]) hash(cells [][]byte) (hash rowHash) {
	b := r.scratch[:0]
	for _, cell := range cells {
		if cell == nil {
			b = append(b, 0) // null
			continue
		}
		b = appendBytes(append(b, 1), cell)
	}
	r.scratch = b
	sum := sha256.Sum256(b)
	copy(hash[:], sum[:])
	return hash
}
