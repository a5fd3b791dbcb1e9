package transfer

import (
	"bytes"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// again reports whether the row before a row of a page, or of the page before, is of the same
// partition, and had its static columns. Within a page they are as they were when it was read.
func (r *reshaping) again(p *flow.Page[rxcql.Row], i int) bool {
	if i > 0 {
		return p.Rows[i-1].Columns() == r.read && r.samePartition(&p.Rows[i-1], &p.Rows[i])
	}
	r.seen = r.mark(r.seen[:0], &p.Rows[0])
	return bytes.Equal(r.seen, r.last[p.Range])
}

func (r *reshaping) samePartition(a, b *rxcql.Row) bool {
	for _, i := range r.partition {
		if !bytes.Equal(a.Bytes(i), b.Bytes(i)) {
			return false
		}
	}
	return true
}

// keep keeps what mark says of the last row of a page, for the next page of its range.
func (r *reshaping) keep(p *flow.Page[rxcql.Row]) {
	at := p.Range
	switch {
	case !r.once || at < 0:
	case p.Last:
		delete(r.last, at)
	case len(p.Rows) > 0:
		row := &p.Rows[len(p.Rows)-1]
		if r.isPartitionOnly(row) { // it may have been left out
			delete(r.last, at)
			return
		}
		r.last[at] = r.mark(r.last[at][:0], row)
	}
}

// mark appends the partition of a row and its static columns to buf, in a form that is equal only
// for equal ones.
func (r *reshaping) mark(buf []byte, row *rxcql.Row) []byte {
	for _, columns := range [][]int{r.partition, r.statics} {
		for _, i := range columns {
			buf = appendElement(buf, row.Bytes(i))
		}
	}
	return buf
}
