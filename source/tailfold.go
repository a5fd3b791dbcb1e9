package source

import "errors"

// tailFold adds up what pages that are settled say of the place: the state of a checkpoint.
type tailFold struct {
	cells int
	whole int // length of the last state that was written as a whole; 0 for none
}

// leastFold is the length up to which records are only added.
const leastFold = 1 << 10

// fold adds records to a state, which only fold has changed, and writes it as a whole when they
// have made it twice as long. So it costs a constant for each byte.
func (f *tailFold) fold(state, records []byte) []byte {
	if f.whole == 0 {
		state = append(make([]byte, 0, max(leastFold, len(state))), state...) // the one before is somebody else's
		if len(state) == 0 {
			state = append(state, tailPlaceVersion)
		}
		f.whole = max(leastFold, len(state))
	}
	state = append(state, records...)
	if len(state) < 2*f.whole {
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
