package rxcql

import (
	"fmt"

	"github.com/rxcql/rxcql/flow"
)

// PageRead counts a page that a source has read. Sources call it once a page,
// before they deliver it.
func (s *Stage) PageRead(rows int, bytes int64) {
	r := s.run
	r.pages.Add(1)
	if rows == 0 {
		r.empty.Add(1)
	}
	r.rows.Add(int64(rows))
	r.bytes.Add(bytes)
	for _, h := range r.cfg.hooks {
		if h, ok := h.(PageReadHook); ok {
			h.PageRead(s.name, rows, bytes)
		}
	}
}

// Ranges announces token ranges (or other parts) that the source will read, so
// that progress has a measure.
func (s *Stage) Ranges(n int) { s.run.ranges.Add(int64(n)) }

// RangeDone counts a range read to its end.
func (s *Stage) RangeDone() { s.run.rangesDone.Add(1) }

// Receipt returns a new receipt for a page that the source delivers by itself;
// one that can be resumed uses flow.Deliver instead. In a job with a checkpoint it
// ends the run: what such a page was made into would be forgotten.
func (s *Stage) Receipt() *flow.Receipt {
	if s.run.job != nil {
		s.run.Fail(s.Fail(fmt.Errorf("%w: its pages have no track", ErrNotResumable)))
	}
	return flow.NewReceipt(func() { s.run.settled.Add(1) })
}

// Written counts rows that became durable. Sinks call it before they end the
// rows' lease.
func (s *Stage) Written(rows int) {
	s.out.Add(int64(rows))
	s.run.written.Add(int64(rows))
	for _, h := range s.run.cfg.hooks {
		if h, ok := h.(RowsWrittenHook); ok {
			h.RowsWritten(s.name, rows)
		}
	}
}

// Retried counts an attempt that is repeated.
func (s *Stage) Retried(err error) {
	s.run.retried.Add(1)
	for _, h := range s.run.cfg.hooks {
		if h, ok := h.(RetryHook); ok {
			h.Retried(s.name, err)
		}
	}
}
