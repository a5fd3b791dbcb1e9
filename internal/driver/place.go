package driver

import "strings"

// Place is how far the result of a statement has been read.
type Place struct {
	State []byte // of the next page; nil at the beginning
	Rows  int64  // rows so far, including earlier runs of a job and rows that could not be decoded
	paged int64  // the most rows that a page other than the last was asked for
}

// Most returns how many rows the next page may be asked for, 0 for any number, if the statement may
// have a LIMIT. Cassandra ignores a page state when a page as large as the LIMIT is asked for: the
// answer begins anew, without an error. The LIMIT itself need not be known. After a page with a
// page state, the LIMIT is known to be larger than the rows so far, and larger than the number of
// rows that the page was asked for.
func (p *Place) Most() int64 {
	if p.State == nil {
		return 0
	}
	return max(1, p.Rows, p.paged)
}

// After moves the place past a page of rows, for which asked rows were asked.
func (p *Place) After(rows, asked int, state []byte) {
	p.Rows += int64(min(rows, asked)) // a page with more rows than it was asked for proves nothing
	p.State = state
	if state != nil {
		p.paged = max(p.paged, int64(asked))
	}
}

// MayLimit reports whether a statement may have a LIMIT: it has the word. If the word means
// something else, such as a column, pages are only smaller at first.
func MayLimit(cql string) bool { return strings.Contains(strings.ToLower(cql), "limit") }
