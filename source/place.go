package source

import "strings"

// place is where the reading of a part has come to.
type place struct {
	state []byte // of the page that comes next; nil at the beginning
	rows  int64  // had so far, by earlier runs of a job too, those included that could not be decoded
	paged int64  // the most rows that a page was asked for that was not the last
}

// most is how many rows the next page may be asked for, 0 for any number, where the
// statement may have a LIMIT. Cassandra ignores a page state when a page as large as
// the LIMIT is asked for: the answer begins anew, with no error. Which LIMIT it is
// need not be known: there would be no page state if not for more than the rows had
// so far, nor after a page that was asked for with so many.
func (p *place) most() int64 {
	if p.state == nil {
		return 0
	}
	return max(1, p.rows, p.paged)
}

// after moves the place behind a page of so many rows that so many were asked for.
func (p *place) after(rows, asked int, state []byte) {
	p.rows += int64(min(rows, asked)) // a page with more than it was asked for proves nothing
	p.state = state
	if state != nil {
		p.paged = max(p.paged, int64(asked))
	}
}

// mayLimit reports whether a statement can have a LIMIT: not without the word. That it
// may mean something else there, such as a column, only makes pages smaller at first.
func mayLimit(cql string) bool { return strings.Contains(strings.ToLower(cql), "limit") }
