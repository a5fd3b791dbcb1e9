package rxcql

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/internal/overflow"
)

// ErrOverflow: a buffer with OverflowFail had no room for a row.
var ErrOverflow = errors.New("rxcql: buffer has no room for another row")

// Overflow is what a buffer does with a row for which it has no room: that of operators.Buffer, and
// of source.Chan and source.FromObservable with source.Buffer. Rows that it drops are counted
// (Report.Overflowed), and hooks are told (Hooks.RowsDropped).
type Overflow int

const (
	// OverflowBlock drops nothing: whoever brings the row waits until there is room.
	OverflowBlock = Overflow(overflow.Block)
	// OverflowDropOldest drops the rows that have waited longest, as many as need be.
	OverflowDropOldest = Overflow(overflow.DropOldest)
	// OverflowDropNewest drops the row that comes, and those of its page behind it.
	OverflowDropNewest = Overflow(overflow.DropNewest)
	// OverflowLatest keeps only the newest row, however many rows there would be room for.
	OverflowLatest = Overflow(overflow.Latest)
	// OverflowFail ends the stream with ErrOverflow. Rows that wait are not handed on.
	OverflowFail = Overflow(overflow.Fail)
)

// String returns the name, such as "DropOldest".
func (o Overflow) String() string {
	if o.Valid() != nil {
		return fmt.Sprintf("Overflow(%d)", int(o))
	}
	return [...]string{"Block", "DropOldest", "DropNewest", "Latest", "Fail"}[o]
}

// Valid returns an error unless the value is one of the constants.
func (o Overflow) Valid() error {
	if o < OverflowBlock || o > OverflowFail {
		return fmt.Errorf("Overflow(%d): there is no such policy; give rxcql.OverflowBlock, say", int(o))
	}
	return nil
}

// DroppedEvent is what hooks are told of rows that a buffer has dropped.
type DroppedEvent struct {
	Stage  string
	Rows   int
	Policy Overflow
}

// CountOverflowed counts rows that the stage dropped because a buffer had no room for them, and
// tells hooks. They count as dropped on purpose. A source calls it for rows that it has not handed
// on: they are counted as read here.
func (s *Stage) CountOverflowed(rows int, policy Overflow) {
	if rows == 0 {
		return
	}
	if s.node.info.Source {
		s.run.rows.Add(int64(rows))
	}
	s.dropped.Add(int64(rows))
	s.run.overflowed.Add(int64(rows))
	tell(s.run.ctx, s.run, s.name, DroppedEvent{Stage: s.name, Rows: rows, Policy: policy}, func(h *Hooks) func(context.Context, DroppedEvent) { return h.RowsDropped })
}
