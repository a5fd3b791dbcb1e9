package flow

import "strconv"

// Position says where in its source a page was read.
type Position struct {
	// Source is what the page was read from; nil where rows of several are mixed. The
	// engine sets it: a source need not.
	Source *Origin
	// Range is the index of the token range (or other part of the source)
	// that the rows come from; -1 where rows of several are mixed. Each source of
	// a run counts its own: PartID tells them apart.
	Range int
	// Page counts the pages of the range from 0, empty ones included.
	Page int64
	// Last marks the last page of the range. A range that has been read to
	// its end always delivers one page with Last set, if need be an empty one.
	Last bool

	first  int32       // where the page's first row is in the page that it was cut from, see Page.EachRow
	tokens *TokenRange // of the part; nil if not known
}

// RowIndex is the index, in the page as it was delivered, of a row that has the
// index i in what may be a page of one row cut from it (Page.EachRow). An index
// that is not known, -1, stays so.
func (p Position) RowIndex(i int) int {
	if i < 0 {
		return i
	}
	return int(p.first) + i
}

// Delivered is the position of the page as it was delivered, if this is that of one
// cut from it.
func (p Position) Delivered() Position {
	p.first = 0
	return p
}

// Tokens are those of the part; false if they are not known.
func (p Position) Tokens() (r TokenRange, known bool) {
	if p.tokens == nil {
		return TokenRange{}, false
	}
	return *p.tokens, true
}

// Part names the part of the source: its tokens, such as (-100, 250], or all
// where it is one part; its index where that is not known; mixed where the rows
// are of several. In a run of several sources the name of the source follows: all of Seq 2.
func (p Position) Part() string {
	var name string
	switch {
	case p.Range < 0:
		return "mixed"
	case p.tokens == nil:
		name = strconv.Itoa(p.Range)
	default:
		name = p.tokens.String()
	}
	if p.Source != nil && p.Source.Several {
		name += " of " + p.Source.Name
	}
	return name
}

// A Page is the unit that moves through a stream: some rows, and a Reservation that
// says what they owe, where they come from, and what follows them.
//
// Source and Watermark go with a page through all operators. A page may have no rows:
// it says then that a part has ended (Position.Last), or how far its event time has come.
// An operator hands that on, also when it drops all rows of a page (HandOn). Where it keeps rows
// it holds it back until these are handed on: neither may overtake a row (Advances, Tell).
//
// Rows belongs to the engine and is reused: it is valid until the call of
// Observer.Next that brought it returns, and must not be changed. Whoever
// keeps rows longer copies their values out and takes their share of the reservation
// (Reservation.Take).
type Page[T any] struct {
	Rows []T
	*Reservation
}

// Derive returns a page of other rows made from p, under p's reservation: what a
// synchronous operator hands on.
func Derive[A, B any](p *Page[A], rows []B) *Page[B] {
	return &Page[B]{Rows: rows, Reservation: p.Reservation}
}

// EachRow calls fn with each row of p as a page of its own, under p's reservation, until
// one fails: for sinks that hand every row to several others before the next. The
// last of them is the last page of the range if p is, and has p's watermark; RowIndex tells
// which row of p a page has. A page without rows is handed on as it is.
func (p *Page[T]) EachRow(fn func(row *Page[T]) error) error {
	if len(p.Rows) == 0 {
		return fn(p)
	}
	said := p.Hush()
	defer p.Say(said)
	row := &Page[T]{Reservation: p.Reservation}
	for i := range p.Rows {
		p.first = said.first + int32(i) //nolint:gosec // no page has two billion rows
		if i == len(p.Rows)-1 {
			p.Last, p.Watermark = said.Last, said.Watermark
		}
		row.Rows = p.Rows[i : i+1 : i+1]
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}
