package source

import (
	"github.com/rxcql/rxcql/flow"
)

// firstRows is the most rows in the first page of a range, when the size of a row is not known yet.
const firstRows = 100

// sizing says how many rows the next page should have to take about the wanted bytes. Cassandra
// pages by rows only, so it goes by the rows of the page before. It belongs to one reader.
type sizing struct {
	want   int64 // bytes, received and decoded
	max    int   // rows
	perRow int64 // bytes of a row in the last page that had rows; 0 while unknown
	cap    int   // rows that are known to fit a frame, after one that was too big; 0 for no cap
	asked  int   // rows that the last page was asked for
}

func newSizing(in *flow.Input, maxRows int) *sizing {
	return &sizing{want: in.PageBytes(), max: maxRows}
}

// rows returns the number of rows to ask for. limit is what downstream can still use, 0 for all.
func (s *sizing) rows(first bool, limit int64) int {
	n := s.max
	if s.perRow > 0 {
		n = int(max(1, min(int64(n), s.want/s.perRow)))
	}
	if first || s.perRow == 0 {
		n = min(n, firstRows)
	}
	if limit > 0 {
		n = int(min(int64(n), limit))
	}
	if s.cap > 0 {
		n = min(n, s.cap)
	}
	return n
}

// estimate returns the bytes that a page of so many rows will take.
func (s *sizing) estimate(rows int) int64 {
	if s.perRow == 0 {
		return s.want
	}
	return int64(rows) * s.perRow
}

// saw learns from a page that has arrived.
func (s *sizing) saw(rows int, bytes int64) {
	if rows > 0 {
		s.perRow = max(1, bytes/int64(rows))
		s.cap = min(s.max, s.cap*2)
	}
}

// tooBig halves the page after a frame that was too big to receive. It reports false if a single
// row is too big.
func (s *sizing) tooBig(rows int) bool {
	s.cap = rows / 2
	return rows > 1
}
