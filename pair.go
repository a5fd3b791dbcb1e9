package rxcql

// Pair is what two ordered streams, or two tables, have under one key: a row of each, or of one of
// them. Where a side has no row, its field is the zero value and Has… is false.
type Pair[L, R any] struct {
	Left  L
	Right R

	HasLeft  bool
	HasRight bool

	// Unread is set in a pair that has no row, and says of a part of the keys that one of the tables
	// could not be read there (source.TablePair with source.AdaptiveSplits). No rows of these keys
	// come, of either side. Else it is nil.
	Unread *Unread
}

// Both reports whether both sides have a row.
func (p Pair[L, R]) Both() bool { return p.HasLeft && p.HasRight }
