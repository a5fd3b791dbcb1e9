package rxcql

// Pair is what two ordered streams, or two tables, have under one key: a row of each, or of one of
// them. Where a side has no row, its field is the zero value and Has… is false.
type Pair[L, R any] struct {
	Left  L
	Right R

	HasLeft  bool
	HasRight bool
}

// Both reports whether both sides have a row.
func (p Pair[L, R]) Both() bool { return p.HasLeft && p.HasRight }
