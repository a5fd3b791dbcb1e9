package sink

import (
	"sync/atomic"

	"github.com/rxcql/rxcql/flow"
)

// share is what the rows of one page owe together while they are worked on one
// by one: the page's receipts settle with the last of them.
type share struct {
	reservation *flow.Reservation // nothing is added to it, so several rows that fail may be taken from it at once
	left        atomic.Int64
	bad         atomic.Bool
}

// newShare takes a page's receipts and bytes for so many rows.
func newShare(account *flow.Account, page *flow.Reservation, rows int, bytes int64) *share {
	s := &share{reservation: account.Reservation()}
	s.reservation.Take(page, bytes)
	s.left.Store(int64(rows))
	return s
}

// done gives back so many rows' part. Rows that failed leave the receipts open.
func (s *share) done(rows int, ok bool) {
	if !ok {
		s.bad.Store(true)
	}
	if s.left.Add(int64(-rows)) > 0 {
		return
	}
	if s.bad.Load() {
		s.reservation.Release()
		return
	}
	s.reservation.Settle()
}
