package source

import (
	"errors"
	"math"
)

// tailFold adds up what pages that are settled say of the place: the state of a checkpoint.
type tailFold struct {
	cells int
	whole int // length of the last state that was written as a whole; 0 for none
}

const (
	// leastFold is the length up to which records are only added.
	leastFold = 1 << 10
	// doubledFold is the length up to which a state may become twice as long.
	doubledFold = 192 << 10
)

// fold adds records to a state, which only fold has changed, and writes it as a whole when they
// have made it twice as long; a large one, by a quarter. So it costs a constant for each byte, and
// what a checkpoint has is little longer than it must be, see mostSeenInJob.
func (f *tailFold) fold(state, records []byte) []byte {
	if f.whole == 0 {
		state = append(make([]byte, 0, max(leastFold, len(state))), state...) // the one before is somebody else's
		if len(state) == 0 {
			state = append(state, tailPlaceVersion)
		}
		f.whole = max(leastFold, len(state))
	}
	state = append(state, records...)
	if len(state) < f.whole+max(min(f.whole, doubledFold), f.whole/4) {
		return state
	}
	place, err := parseTailPlace(state, f.cells)
	if err != nil {
		panic(unreadable(err))
	}
	state = place.save()
	f.whole = max(leastFold, len(state))
	return state
}

// shortened returns records that change any place as these do, without the rows that later ones
// forget: so what pages say that wait behind one that is held takes what the rows of an overlap
// take.
func shortened(records []byte, cells int) []byte {
	r := placeReader{rest: records}
	var b []byte
	if len(records) > 0 && records[0] == recordBegin {
		r.byte()
		b = appendBegin(b, r.varint(), r.varint())
	}
	p := newTailPlace(0, math.MinInt64)
	for len(r.rest) > 0 {
		if err := p.replay(&r, cells); err != nil {
			panic(unreadable(err))
		}
	}
	if p.first != math.MinInt64 {
		b = appendOver(b, p.first)
	}
	return p.appendTo(b)
}

// unreadable is a panic that cannot happen.
func unreadable(err error) error {
	return errors.Join(errors.New("source: Tail has written a position that it cannot read"), err)
}
