package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Now is what the clock of the node that answers says, to the millisecond.
func (s *Session) Now(ctx context.Context) (now time.Time, err error) {
	found := errors.New("the server has not said what time it is")
	err = s.Each(ctx, local("SELECT toTimestamp(now()) FROM system.local"), func(_ string, cells [][]byte) error {
		if len(cells[0]) == 8 {
			now, found = time.UnixMilli(int64(binary.BigEndian.Uint64(cells[0]))), nil //nolint:gosec // its bits
		}
		return nil
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the server's time: %w", err)
	}
	return now, found
}
