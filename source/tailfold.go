package source

import "errors"

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
		panic(errors.Join(errors.New("source: Tail has written a position that it cannot read"), err)) // cannot happen
	}
	state = place.save()
	f.whole = max(leastFold, len(state))
	return state
}
