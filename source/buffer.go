package source

import (
	"fmt"

	"github.com/rxcql/rxcql"
)

// ObservableOption is an option of FromObservable.
type ObservableOption interface{ applyObservable(*memoryConfig) error }

type buffer struct {
	rows     int
	overflow rxcql.Overflow
}

// Buffer takes rows in as they come, whether downstream waits for them or not, and keeps up to n of
// them. overflow says what happens to a row for which there is no room, because n rows wait or they
// take more than a quarter of the source's part of the budget (rxcql.WithBudget, divided by the
// sources of the run); a row that is larger waits alone. rxcql.OverflowBlock holds up whoever sends
// it; the others drop rows, or end the stream with rxcql.ErrOverflow. With
// rxcql.OverflowLatest only the newest row waits. Rows that are dropped are counted as read and as
// filtered (Report.Overflowed), and hooks are told (Hooks.RowsDropped).
//
// Without it, and by default, nothing is dropped: a row stays with its sender until it is wanted.
//
// Rows are taken in by a goroutine of the source. What waits is charged to the budget. It goes on
// after Pipeline.Stop, and is lost when the stream ends early.
func Buffer(n int, overflow rxcql.Overflow) interface {
	ChanOption
	ObservableOption
} {
	return buffer{n, overflow}
}

func (b buffer) set(c *memoryConfig) error {
	if b.rows < 1 {
		return fmt.Errorf("Buffer(%d, %v): must be at least 1 row", b.rows, b.overflow)
	}
	if err := b.overflow.Valid(); err != nil {
		return fmt.Errorf("Buffer: %w", err)
	}
	c.buffer = &b
	return nil
}

func (b buffer) applyChan(c *memoryConfig) error       { return b.set(c) }
func (b buffer) applyObservable(c *memoryConfig) error { return b.set(c) }
