package sink

import (
	"sync/atomic"

	"github.com/rxcql/rxcql/flow"
)

// share is the reservation of the rows of one page while they are worked on one by one. The page's
// receipts settle with the last row.
type share struct {
	reservation *flow.Reservation // never added to, so several failed rows may take from it at once
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

// done gives back the part of so many rows. Rows that failed leave the receipts open.
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
