package parquetcell

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
)

// cursorValues is how many values of a column are taken from its page at a time.
const cursorValues = 128

// cursor goes through the values of one leaf column of a row group. One page of it is in memory,
// decompressed.
type cursor struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    []parquet.Value
	at, n  int
	err    error // io.EOF at the end
}

func newCursor(chunk parquet.ColumnChunk) *cursor {
	return &cursor{pages: chunk.Pages(), buf: make([]parquet.Value, cursorValues)}
}

// peek returns the next value, nil at the end of the row group or after an error. It is valid until
// the cursor has moved on and peek is called again.
func (c *cursor) peek() *parquet.Value {
	if c.at < c.n {
		return &c.buf[c.at]
	}
	return c.fill()
}

// errPage: the library panics at a page, as it does at some of version 2 that have levels of no
// bytes, or another number of nulls than they say.
var errPage = errors.New("a page cannot be read: it is damaged, or of a kind that is not known here; write the file with data pages of version 1")

func (c *cursor) fill() (next *parquet.Value) {
	defer func() {
		if recover() != nil {
			next, c.page, c.values, c.at, c.n, c.err = nil, nil, nil, 0, 0, errPage
		}
	}()
	for c.err == nil {
		if c.values == nil {
			if c.page, c.err = c.pages.ReadPage(); c.err != nil {
				c.page = nil
				return nil
			}
			c.values = c.page.Values()
		}
		n, err := c.values.ReadValues(c.buf)
		if c.at, c.n = 0, n; n > 0 {
			return &c.buf[0]
		}
		c.release()
		if err != nil && !errors.Is(err, io.EOF) {
			c.err = err
		}
	}
	return nil
}

// next moves on by one value.
func (c *cursor) next() { c.at++ }

// seek moves to the first value of a row.
func (c *cursor) seek(row int64) (err error) {
	defer func() {
		if recover() != nil {
			err = errPage
		}
	}()
	c.release()
	c.at, c.n, c.err = 0, 0, nil
	return c.pages.SeekToRow(row)
}

func (c *cursor) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page, c.values = nil, nil
	}
}

func (c *cursor) close() error {
	c.release()
	return c.pages.Close()
}
