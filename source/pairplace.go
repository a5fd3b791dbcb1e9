package source

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
)

// sidePlace is where the pages of a table go on.
type sidePlace struct {
	state []byte // of the next page; nil at the beginning of the range
	over  bool   // there is no next page
}

// pairPlace is a position in a range of two tables. The two are saved as one: positions that move
// apart would give differences that are none.
//
// Where a page of a table has rows that are not paired yet, its own state is saved and it is read
// again; rows up to the last key have been paired then. So it does not matter if the page is larger
// then, or has other rows.
type pairPlace struct {
	left, right sidePlace
	last        [][]byte // the key of the last pair; nil if there was none
}

// pairPlaceVersion is the first byte of a saved place.
const pairPlaceVersion = 1

const (
	sideBegins byte = iota
	sideGoesOn
	sideIsOver
)

// save writes a place down.
func (p *pairPlace) save() []byte {
	b := []byte{pairPlaceVersion}
	for _, side := range []sidePlace{p.left, p.right} {
		switch {
		case side.over:
			b = append(b, sideIsOver)
		case side.state == nil:
			b = append(b, sideBegins)
		default:
			b = appendBytes(append(b, sideGoesOn), side.state)
		}
	}
	for _, cell := range p.last {
		if cell == nil {
			b = append(b, 0)
			continue
		}
		b = appendBytes(append(b, 1), cell)
	}
	return b
}

func appendBytes(to, b []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}

// parsePairPlace reads what save wrote, of a key of so many columns. A nil state is the beginning.
func parsePairPlace(state []byte, columns int) (p pairPlace, err error) {
	if state == nil {
		return p, nil
	}
	r := placeReader{rest: state}
	switch version := r.byte(); {
	case version > pairPlaceVersion:
		return p, fmt.Errorf("%w: a position in two tables has the form %d, and this program knows %d",
			rxcql.ErrCheckpointNewer, version, pairPlaceVersion)
	case version < pairPlaceVersion:
		r.cut = true
	}
	for _, side := range []*sidePlace{&p.left, &p.right} {
		switch r.byte() {
		case sideBegins:
		case sideGoesOn:
			side.state = r.bytes()
		case sideIsOver:
			side.over = true
		default:
			r.cut = true
		}
	}
	if len(r.rest) > 0 {
		p.last = make([][]byte, columns)
		for i := range p.last {
			if r.byte() != 0 {
				p.last[i] = r.bytes()
			}
		}
	}
	if r.cut || len(r.rest) > 0 {
		return p, fmt.Errorf("%w: %w", rxcql.ErrCheckpointDamaged, errPairPlace)
	}
	return p, nil
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
