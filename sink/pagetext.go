package sink

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// fileBuffer is how many bytes are gathered before they are written.
const fileBuffer = 64 << 10

// pageText makes the text of pages, one after the other, and writes it.
type pageText[T any] struct {
	st      *rxcql.Stage
	lines   lines[T]
	between string
	hasRows bool               // what has been written
	whole   bool               // write gets whole pages only
	write   func([]byte) error // also of no bytes
	buf     []byte             // not written yet; empty between pages
}

func newPageText[T any](st *rxcql.Stage, lines lines[T]) pageText[T] {
	return pageText[T]{st: st, lines: lines, between: lines.frame().between}
}

// page writes the rows of a page, and returns how many of them did not fail.
func (x *pageText[T]) page(ctx context.Context, p *flow.Page[T]) (written int, err error) {
	x.buf = x.buf[:0]
	for i := range p.Rows {
		if x.buf, err = addRow(x.lines, x.buf, x.between, x.hasRows, &p.Rows[i]); err != nil {
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}
			if err := x.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return 0, err
			}
			continue
		}
		written++
		if x.hasRows = true; len(x.buf) >= fileBuffer && !x.whole {
			if err := x.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, x.flush()
}

// flush writes the buffer. A buffer that a large row has made large is not kept.
func (x *pageText[T]) flush() error {
	err := x.write(x.buf)
	if x.buf = x.buf[:0]; cap(x.buf) > 16*fileBuffer {
		x.buf = nil
	}
	return x.st.Fail(err)
}

// ending is what comes after the last row.
func (x *pageText[T]) ending() string {
	if x.hasRows {
		return x.lines.frame().end
	}
	return x.lines.frame().empty
}
