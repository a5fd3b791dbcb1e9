package source

// Fingerprint is the hash of bound values in a checkpoint.
var Fingerprint = fingerprint

// PairPlace is a position in two tables: what is saved for pages of which the states, nil at the
// beginning, are those, or that are over.
type PairPlace struct {
	Left, Right         []byte
	LeftOver, RightOver bool
	Last                [][]byte
}

// Save writes it down.
func (p PairPlace) Save() []byte {
	place := pairPlace{left: sidePlace{p.Left, p.LeftOver}, right: sidePlace{p.Right, p.RightOver}, last: p.Last}
	return place.save()
}

// ParsePairPlace reads one.
func ParsePairPlace(state []byte, columns int) (PairPlace, error) {
	p, err := parsePairPlace(state, columns)
	return PairPlace{p.left.state, p.right.state, p.left.over, p.right.over, p.last}, err
}
