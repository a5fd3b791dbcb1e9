package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// slicePlace is a position in a token range that is read by slices.
type slicePlace struct {
	slices []slice  // to be read, in order
	unread []slice  // that could not be read, and are to be asked for again by the next run
	last   [][]byte // the key of the last row read; nil if there was none
}

// clone returns a copy that is not changed by what is read and cut later.
func (p *slicePlace) clone() *slicePlace {
	return &slicePlace{slices: slices.Clone(p.slices), unread: slices.Clone(p.unread), last: p.last}
}

// over reports whether all has been read that can be.
func (p *slicePlace) over() bool { return len(p.slices) == 0 }

// slicePlaceMagic is what a saved place begins with: no page state does.
const slicePlaceMagic = "rxcql slices "

// slicePlaceVersion is the byte behind it.
const slicePlaceVersion = 1

func isSlicePlace(state []byte) bool { return bytes.HasPrefix(state, []byte(slicePlaceMagic)) }

// What is known of a slice, as bits of its first byte.
const (
	sliceLow = 1 << iota
	sliceHigh
	sliceOpen
	sliceStatics
	sliceCut
	sliceBegun
	sliceUnread
)

// save writes a place down.
func (p *slicePlace) save() []byte {
	b := append([]byte(slicePlaceMagic), slicePlaceVersion)
	b = binary.AppendUvarint(b, uint64(len(p.last)))
	for _, cell := range p.last {
		b = appendCell(b, cell)
	}
	for i := range p.slices {
		b = p.slices[i].append(b, 0)
	}
	for i := range p.unread {
		b = p.unread[i].append(b, sliceUnread)
	}
	return b
}

func appendCell(to, cell []byte) []byte {
	if cell == nil {
		return append(to, 0)
	}
	return appendBytes(append(to, 1), cell)
}

func (s *slice) append(b []byte, about byte) []byte {
	for _, bit := range []struct {
		is  bool
		bit byte
	}{
		{s.low != nil, sliceLow}, {s.high != nil, sliceHigh}, {s.open, sliceOpen},
		{s.statics, sliceStatics}, {s.cut, sliceCut}, {s.begun, sliceBegun},
	} {
		if bit.is {
			about |= bit.bit
		}
	}
	b = append(b, about)
	b = binary.BigEndian.AppendUint64(b, uint64(s.tokens.Start)) //nolint:gosec // its bits
	b = binary.BigEndian.AppendUint64(b, uint64(s.tokens.End))   //nolint:gosec // likewise
	b = binary.AppendUvarint(b, uint64(len(s.equal)))
	for _, value := range s.equal {
		b = appendBytes(b, value)
	}
	if s.low != nil {
		b = appendBytes(b, s.low)
	}
	if s.high != nil {
		b = appendBytes(b, s.high)
	}
	return appendBytes(b, s.state)
}

// parseSlicePlace reads what save wrote, of a range of a table with a key of so many columns. A nil
// state is the beginning, and any other that is not a place is a page state of a run without
// AdaptiveSplits. What was unread comes behind the rest.
func parseSlicePlace(state []byte, span flow.TokenRange, columns int) (*slicePlace, error) {
	if !isSlicePlace(state) {
		return &slicePlace{slices: []slice{{tokens: span, state: state, begun: state != nil}}}, nil
	}
	p := &slicePlace{}
	r := placeReader{rest: state[len(slicePlaceMagic):]}
	switch version := r.byte(); {
	case version > slicePlaceVersion:
		return nil, fmt.Errorf("%w: a position in slices has the form %d, and this program knows %d",
			rxcql.ErrCheckpointNewer, version, slicePlaceVersion)
	case version < slicePlaceVersion:
		r.cut = true
	}
	if n := r.count(); n == columns {
		for range n {
			p.last = append(p.last, r.cell())
		}
	} else if n != 0 {
		r.cut = true
	}
	var again []slice
	for len(r.rest) > 0 && !r.cut {
		s, unread := r.slice()
		if unread {
			again = append(again, s)
		} else {
			p.slices = append(p.slices, s)
		}
		r.cut = r.cut || !s.fits(span, columns)
	}
	p.slices = append(p.slices, again...)
	if r.cut || len(p.slices) == 0 {
		return nil, fmt.Errorf("%w: a position in slices cannot be read", rxcql.ErrCheckpointDamaged)
	}
	return p, nil
}

// fits reports whether a slice may be of a range of a table with a key of so many columns. A bound
// needs a column that is not given.
func (s *slice) fits(span flow.TokenRange, columns int) bool {
	if s.low != nil || s.high != nil {
		columns--
	}
	return len(s.equal) < columns+1 && s.tokens.Start >= span.Start && s.tokens.End <= span.End && s.tokens.Start < s.tokens.End
}

func (r *placeReader) slice() (s slice, unread bool) {
	about := r.byte()
	s.open, s.statics, s.cut, s.begun = about&sliceOpen != 0, about&sliceStatics != 0, about&sliceCut != 0, about&sliceBegun != 0
	s.tokens = flow.TokenRange{Start: r.int64(), End: r.int64()}
	for range r.count() {
		s.equal = append(s.equal, r.bytes())
	}
	if about&sliceLow != 0 {
		s.low = r.bytes()
	}
	if about&sliceHigh != 0 {
		s.high = r.bytes()
	}
	if state := r.bytes(); len(state) > 0 {
		s.state = state
	}
	return s, about&sliceUnread != 0
}

// cell reads a value that may be null.
func (r *placeReader) cell() []byte {
	if r.byte() == 0 {
		return nil
	}
	return r.bytes()
}

// count reads a number of things, of which each has a byte at least.
func (r *placeReader) count() int {
	n, length := binary.Uvarint(r.rest)
	if length <= 0 || n > uint64(len(r.rest)) {
		r.cut, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[length:]
	return int(n) //nolint:gosec // no more than there are bytes
}

func (r *placeReader) int64() int64 {
	if len(r.rest) < 8 {
		r.cut, r.rest = true, nil
		return 0
	}
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return int64(n) //nolint:gosec // its bits
}
