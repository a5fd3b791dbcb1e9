package flow

import "strconv"

// Position says where in its source a page was read.
type Position struct {
	// Source is what the page was read from; nil if rows of several sources are mixed. The engine
	// sets it; sources need not.
	Source *Origin
	// Range is the index of the token range (or other part of the source) that the rows come from;
	// -1 if rows of several are mixed, and AllParts in a page without rows that is about all parts
	// of its source. Each source of a run counts its own ranges; PartID tells them apart.
	Range int
	// Page counts the pages of the range from 0, empty ones included.
	Page int64
	// Last marks the last page of the range. A range that is read to its end always delivers one
	// page with Last set, which may be empty.
	Last bool

	first int32  // index of the page's first row in the page that it was cut from, see From and Picked
	about *about // nil if nothing more is known
}

// about is the rest of a Position, behind a pointer so that a Position is small.
type about struct {
	tokens *TokenRange // of the part; nil if not known
	torn   []int64     // see Position.Torn
	picked []int32     // of a page of some rows of another, which these are; see Position.Picked
	whole  *about      // of that other page
}

// RowIndex returns the index of a row in the page as it was delivered. i is its index in this page,
// which may have some of that page's rows only (Page.EachRow, Picked). An index that is not known
// is -1.
func (p Position) RowIndex(i int) int {
	if i < 0 {
		return i
	}
	i += int(p.first)
	switch {
	case p.about == nil || p.about.picked == nil:
		return i
	case i < len(p.about.picked):
		return int(p.about.picked[i])
	}
	return -1
}

// Picked returns the position of a page of some of this page's rows: those with the given indexes,
// in ascending order. Operators and sinks that split pages use it, so that a row that fails is
// named by its place in the page as it was delivered. The indexes are copied.
func (p Position) Picked(indexes []int32) Position {
	n := len(indexes)
	if n == 0 {
		return p
	}
	if int(indexes[n-1]-indexes[0]) == n-1 { // they follow each other
		p.first += indexes[0]
		return p
	}
	some := &about{picked: make([]int32, n), whole: p.Delivered().about}
	for i, index := range indexes {
		some.picked[i] = int32(p.RowIndex(int(index))) //nolint:gosec // no page has two billion rows
	}
	if some.whole != nil {
		some.tokens, some.torn = some.whole.tokens, some.whole.torn
	}
	p.first, p.about = 0, some
	return p
}

// Delivered returns the position of the page as it was delivered, also for a page that has some of
// its rows only (Page.EachRow, Picked).
func (p Position) Delivered() Position {
	p.first = 0
	if p.about != nil && p.about.picked != nil {
		p.about = p.about.whole
	}
	return p
}

// split reports whether the page has some rows only of the page as it was delivered.
func (p Position) split() bool { return p.first > 0 || p.about != nil && p.about.picked != nil }

// From returns the position of a piece of the page that begins with row i of this one, so that
// RowIndex counts on. Operators that hand a page on in pieces give each of them its own.
func (p Position) From(i int) Position {
	p.first += int32(i) //nolint:gosec // no page has two billion rows
	return p
}

// Tokens returns the tokens of the part; false if they are not known.
func (p Position) Tokens() (r TokenRange, known bool) {
	if p.about == nil || p.about.tokens == nil {
		return TokenRange{}, false
	}
	return *p.about.tokens, true
}

// Torn returns the tokens of partitions of which the source has left rows unread since the page
// before (rxcql.Stage.CountUnread). They come behind other partitions, in a later run of the job,
// so whoever adds up rows of a partition must keep what it has of these. You must not change the
// slice.
func (p Position) Torn() []int64 {
	if p.about == nil {
		return nil
	}
	return p.about.torn
}

// WithTorn returns the position with these tokens, see Torn. Sources call it before Deliver.
func (p Position) WithTorn(tokens []int64) Position {
	if len(tokens) > 0 {
		p.about = &about{torn: tokens}
	}
	return p
}

// Part names the part of the source. It is one of these, followed by the name of the source in a
// run of several sources (all of Seq 2):
//
//   - its tokens, such as (-100, 250], or "all" if the source is one part;
//   - its index, if the tokens are not known;
//   - "mixed", if the rows come from several parts.
func (p Position) Part() string {
	if p.Range < 0 && p.Range != AllParts {
		return "mixed"
	}
	name := strconv.Itoa(p.Range)
	if tokens, known := p.Tokens(); known {
		name = tokens.String()
	} else if p.Range == AllParts {
		name = WholeRange.String()
	}
	if p.Source != nil && p.Source.Several {
		name += " of " + p.Source.Name
	}
	return name
}

// Page is the unit that moves through a stream: some rows, and a Reservation. The Reservation says
// which bytes and receipts the page carries, where its rows come from, and what follows them.
//
// Source, Watermark and Idle go with a page through all operators. A page may have no rows: it
// then says that a part has ended (Position.Last), how far its event time has come, that it is
// idle, or something of all parts (AllParts). An operator hands that on (HandOn), even if it drops
// all rows of the page. If it keeps rows, it holds that back until they are handed on: nothing that
// is said of a part may overtake a row of it (see Advances, Tell).
//
// Rows belongs to the engine, which uses it again. It is valid until the call of Observer.Next that
// brought the page returns, and must not be changed. To keep rows longer, copy their values and
// take their share of the reservation (Reservation.Take).
type Page[T any] struct {
	Rows []T
	*Reservation
}

// Derive returns a page of other rows that were made from p, under p's reservation. Synchronous
// operators hand it on.
func Derive[A, B any](p *Page[A], rows []B) *Page[B] {
	return &Page[B]{Rows: rows, Reservation: p.Reservation}
}

// EachRow calls fn with each row of p as a page of its own, under p's reservation, until fn fails.
// It is for sinks that hand every row to several others before the next row. The last of these
// pages has what p says of its part. RowIndex tells which row of p a page has. A page without rows
// is handed on as it is.
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
			p.Last, p.Watermark, p.Idle = said.Last, said.Watermark, said.Idle
		}
		row.Rows = p.Rows[i : i+1 : i+1]
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}
