package rxcql

import "strconv"

// Position says where in its source a page was read.
type Position struct {
	// Range is the index of the token range (or other part of the source)
	// that the rows come from; -1 where rows of several are mixed.
	Range int
	// Page counts the pages of the range from 0, empty ones included.
	Page int64
	// Last marks the last page of the range. A range that has been read to
	// its end always delivers one page with Last set, if need be an empty one.
	Last bool

	tokens *TokenRange // of the part; nil if not known
}

// Part names the part of the source: its tokens, such as (-100, 250], or all
// where it is one part; its index where that is not known; mixed where the rows
// are of several.
func (p Position) Part() string {
	switch {
	case p.Range < 0:
		return "mixed"
	case p.tokens == nil:
		return strconv.Itoa(p.Range)
	}
	return p.tokens.String()
}

// A Page is the unit that moves through a stream: some rows, and a Lease that
// says what they owe.
//
// Rows belongs to the engine and is reused: it is valid until the call of
// Observer.Next that brought it returns, and must not be changed. Whoever
// keeps rows longer copies their values out and takes their share of the lease
// (Lease.Take).
type Page[T any] struct {
	Rows []T
	*Lease
}

// Derive returns a page of other rows made from p, under p's lease: what a
// synchronous operator hands on.
func Derive[A, B any](p *Page[A], rows []B) *Page[B] {
	return &Page[B]{Rows: rows, Lease: p.Lease}
}
