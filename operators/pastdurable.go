package operators

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// atEnd stands behind the hash in a snapshot where a source that may grow has ended, and
// the group with it, before the number of rows that there were of the part: rows that
// come behind these later are not of a group that may be dropped.
const atEnd = "$"

// endSnapshot is the snapshot of a group that ended with the reservation's page, the last one.
func endSnapshot(l *flow.Reservation, hash []byte) []byte {
	_, end := l.RowSpan()
	return strconv.AppendInt(append(hash, atEnd...), end, 10)
}

// readSnapshot takes a snapshot apart; the end is -1 for a group that ended as another began.
func readSnapshot(snapshot []byte) (hash []byte, end int64, err error) {
	if len(snapshot) <= hashSize {
		return snapshot, -1, nil
	}
	end, err = strconv.ParseInt(string(snapshot[hashSize+len(atEnd):]), 10, 64)
	if err != nil {
		err = fmt.Errorf("%w: the snapshot of a group cannot be read", rxcql.ErrCheckpointDamaged)
	}
	return snapshot[:hashSize:hashSize], end, err
}

var errGrown = fmt.Errorf("%w: rows have come to the end of the source behind the last group, or with it in a page, "+
	"and an earlier run has handed that on as whole; begin anew with another job name", rxcql.ErrCheckpointForeign)

// pastDurable are the rows of a page that come after the group which an earlier
// run has handed on already, where that has left the range in its midst.
func (g *grouping[T, K, S]) pastDurable(p *flow.Page[T]) ([]T, error) {
	durable, seen := g.durable[p.PartID()]
	if !seen {
		if durable = p.Restored(g.st.Name()); durable == nil {
			return p.Rows, nil
		}
		g.durable[p.PartID()] = durable
	}
	if durable == nil {
		return p.Rows, nil
	}
	hash, end, err := readSnapshot(durable)
	if err != nil {
		return nil, g.st.Fail(err)
	}
	past := 0
	for past < len(p.Rows) && bytes.Equal(hashKey(g.key(p.Rows[past])), hash) {
		past++
	}
	// Operators may have left rows out or made more of them, so of the rows in a page
	// nobody knows which the source had at that end: all or none is dropped.
	if past > 0 && end >= 0 {
		if _, to := p.RowSpan(); to > end {
			return nil, g.st.Fail(errGrown)
		}
	}
	g.st.CountDropped(past)
	if past < len(p.Rows) {
		g.durable[p.PartID()] = nil
	} else if p.Last && p.Grows() {
		p.Snapshot(g.st.Name(), endSnapshot(p.Reservation, hash))
	}
	return p.Rows[past:], nil
}
