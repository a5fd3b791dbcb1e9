package source

import "strings"

// place is how far a part has been read.
type place struct {
	state []byte // of the next page; nil at the beginning
	rows  int64  // rows so far, including earlier runs of a job and rows that could not be decoded
	paged int64  // the most rows that a page other than the last was asked for
}

// most returns how many rows the next page may be asked for, 0 for any number, if the statement may
// have a LIMIT. Cassandra ignores a page state when a page as large as the LIMIT is asked for: the
// answer begins anew, without an error. The LIMIT itself need not be known. After a page with a
// page state, the LIMIT is known to be larger than the rows so far, and larger than the number of
// rows that the page was asked for.
func (p *place) most() int64 {
	if p.state == nil {
		return 0
	}
	return max(1, p.rows, p.paged)
}

// after moves the place past a page of rows, for which asked rows were asked.
func (p *place) after(rows, asked int, state []byte) {
	p.rows += int64(min(rows, asked)) // a page with more rows than it was asked for proves nothing
	p.state = state
	if state != nil {
		p.paged = max(p.paged, int64(asked))
	}
}

// mayLimit reports whether a statement may have a LIMIT: it has the word. If the word means
// something else, such as a column, pages are only smaller at first.
func mayLimit(cql string) bool { return strings.Contains(strings.ToLower(cql), "limit") }
