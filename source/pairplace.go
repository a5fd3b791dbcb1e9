package source

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// sidePlace is where the pages of a table go on.
type sidePlace struct {
	state  []byte      // of the next page; nil at the beginning of the range
	over   bool        // there is no next page
	sliced *slicePlace // with AdaptiveSplits; nil at the beginning
}

// pairPlace is a position in a range of two tables. The two are saved as one: positions that move
// apart would give differences that are none.
//
// Where a page of a table has rows that are not paired yet, its own state is saved and it is read
// again; rows up to the last key have been paired then. So it does not matter if the page is larger
// then, or has other rows.
type pairPlace struct {
	left, right sidePlace
	last        [][]byte   // the key of the last pair; nil if there was none
	holes       [2][]slice // of each table: what could not be read, and was told of
}

// The first byte of a saved place: that of a place without slices, as before AdaptiveSplits, and
// the newest.
const (
	pairPlacePlain  = 1
	pairPlaceSliced = 2
)

const (
	sideBegins byte = iota
	sideGoesOn
	sideIsOver
	sideSliced
)

func (p *pairPlace) isSliced() bool {
	return p.left.sliced != nil || p.right.sliced != nil || len(p.holes[0])+len(p.holes[1]) > 0
}

// notSliced refuses the positions of a run with AdaptiveSplits.
func (p *pairPlace) notSliced() error {
	if p.isSliced() {
		return fmt.Errorf("%w: it is of a run with source.AdaptiveSplits; give the table source that option again", rxcql.ErrCheckpointForeign)
	}
	return nil
}

// save writes a place down.
func (p *pairPlace) save() []byte {
	b := []byte{pairPlacePlain}
	if p.isSliced() {
		b[0] = pairPlaceSliced
	}
	for _, side := range []sidePlace{p.left, p.right} {
		switch {
		case side.over:
			b = append(b, sideIsOver)
		case side.sliced != nil:
			b = appendBytes(append(b, sideSliced), side.sliced.save())
		case side.state == nil:
			b = append(b, sideBegins)
		default:
			b = appendBytes(append(b, sideGoesOn), side.state)
		}
	}
	if b[0] == pairPlaceSliced {
		for _, holes := range p.holes {
			b = binary.AppendUvarint(b, uint64(len(holes)))
			for i := range holes {
				b = holes[i].append(b, 0)
			}
		}
	}
	for _, cell := range p.last {
		b = appendCell(b, cell)
	}
	return b
}

func appendBytes(to, b []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}

// parsePairPlace reads what save wrote, of a range of tables with a key of so many columns. A nil
// state is the beginning.
func parsePairPlace(state []byte, span flow.TokenRange, columns int) (p pairPlace, err error) {
	if state == nil {
		return p, nil
	}
	r := placeReader{rest: state}
	version := r.byte()
	switch {
	case version > pairPlaceSliced:
		return p, fmt.Errorf("%w: a position in two tables has the form %d, and this program knows %d",
			rxcql.ErrCheckpointNewer, version, pairPlaceSliced)
	case version < pairPlacePlain:
		r.cut = true
	}
	for _, side := range []*sidePlace{&p.left, &p.right} {
		switch kind := r.byte(); {
		case kind == sideBegins:
		case kind == sideGoesOn:
			side.state = r.bytes()
		case kind == sideIsOver:
			side.over = true
		case kind == sideSliced && version == pairPlaceSliced:
			if state := r.bytes(); !isSlicePlace(state) {
				r.cut = true
			} else if side.sliced, err = parseSlicePlace(state, span, columns); err != nil {
				return p, err
			}
		default:
			r.cut = true
		}
	}
	if version == pairPlaceSliced {
		for i := range p.holes {
			p.holes[i] = r.holes(span, columns)
		}
	}
	if len(r.rest) > 0 {
		p.last = make([][]byte, columns)
		for i := range p.last {
			p.last[i] = r.cell()
		}
	}
	if r.cut || len(r.rest) > 0 {
		return p, fmt.Errorf("%w: %w", rxcql.ErrCheckpointDamaged, errPairPlace)
	}
	return p, nil
}

// holes reads the slices of a table that could not be read.
func (r *placeReader) holes(span flow.TokenRange, columns int) (all []slice) {
	for range r.count() {
		hole, _ := r.slice()
		all = append(all, hole)
		r.cut = r.cut || !hole.fits(span, columns)
	}
	return all
}

var errPairPlace = errors.New("a position in two tables cannot be read")

// placeReader reads a saved place. cut is set at what is not there.
type placeReader struct {
	rest []byte
	cut  bool
}

func (r *placeReader) byte() byte {
	if len(r.rest) == 0 {
		r.cut = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *placeReader) bytes() []byte {
	length, n := binary.Uvarint(r.rest)
	if n <= 0 || length > uint64(len(r.rest)-n) {
		r.cut, r.rest = true, nil
		return nil
	}
	b := r.rest[n : n+int(length) : n+int(length)] //nolint:gosec // no longer than what is there
	r.rest = r.rest[n+int(length):]                //nolint:gosec // likewise
	return b
}
