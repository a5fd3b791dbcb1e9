package operators

import (
	"crypto/sha256"
	"reflect"
	"time"
)

type wallClock func() time.Time

func (now wallClock) applyEventTime(c *eventTimeConfig) error { c.wall = now; return nil }

// WallClock has EventTime take now for what this machine's clock says.
func WallClock(now func() time.Time) EventTimeOption { return wallClock(now) }

// HashKey is hashKey for a value of any type that it takes.
func HashKey(key any) []byte {
	h := sha256.New()
	hashValue(h, reflect.ValueOf(key))
	return h.Sum(nil)[:16]
}
