package parquet

import (
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// held is what a writer owes for rows that are in no complete file: the receipts of their pages,
// and the bytes of the row group, which are in memory.
//
// In a job the receipts are given back at once. Each save completes the file before it notes how
// far the sources are, so none is noted too early; and if they were kept, a source would wait for
// the next save as soon as enough of its pages were open.
type held struct {
	account *flow.Account
	inJob   bool
	pages   *flow.Reservation // receipts
	memory  *flow.Reservation // bytes
}

func newHeld(st *rxcql.Stage) held {
	h := held{account: st.Account(false), inJob: st.Run().HasCheckpoint()}
	h.pages, h.memory = h.account.Reservation(), h.account.Reservation()
	return h
}

// page takes the receipts of a page: once for each file, however often it is called.
func (h *held) page(of *flow.Reservation) {
	if !h.inJob {
		h.pages.Take(of, 0)
	}
}

// charge says how many bytes are in memory now.
func (h *held) charge(bytes int64) {
	switch more := bytes - h.memory.Bytes(); {
	case more > 0:
		h.memory.Take(h.account.Reservation(), more)
	case more < 0:
		h.memory.Release()
		if bytes > 0 {
			h.memory.Take(h.account.Reservation(), bytes)
		}
	}
}

// settle says that all rows so far are durable.
func (h *held) settle() {
	h.pages.Settle()
	h.memory.Release()
}

// errGivenUp: the rows of the last file are in no complete file.
var errGivenUp = errors.New("the file is not complete")

// giveUp leaves the receipts open, and releases the bytes.
func (h *held) giveUp() {
	h.pages.Finish(errGivenUp)
	h.memory.Finish(errGivenUp)
}
