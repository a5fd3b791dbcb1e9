package operators

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// atEnd separates, in a snapshot, the hash of a key from a number of rows. Such a snapshot is left
// where a source that may grow has ended, and the group with it. The number is how many rows the
// part had then: a row that comes later does not belong to a group that may be dropped.
const atEnd = "$"

// endSnapshot returns the snapshot of a group that ended with the reservation's page, the last one.
func endSnapshot(l *flow.Reservation, hash []byte) []byte {
	_, end := l.RowSpan()
	return strconv.AppendInt(append(hash, atEnd...), end, 10)
}

// readSnapshot splits a snapshot. end is -1 for a group that ended because another began.
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

var errGrown = fmt.Errorf("%w: the source has grown by rows of its last group, or by rows in a page with rows of that group, "+
	"and an earlier run has handed that group on; begin anew with another job name (and another checkpoint.File)", rxcql.ErrCheckpointForeign)

// pastDurable returns the rows of a page that come after the group which an earlier run has already
// handed on, if that run left the range in the middle of the group.
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
	// Operators may have dropped rows or made more of them, so it is not known which rows in the
	// page the source had at that end: either all are dropped or none.
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
