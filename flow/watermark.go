package flow

import (
	"math"
	"time"
)

// A Watermark is how far event time has come in a part of a source: no row with an event
// time before it comes any more from that part. A row with that very time may. The zero
// Watermark says nothing; it is before all others.
//
// So a window that ends at t, t not included, is whole as soon as the watermark is t: at the
// same row as in Flink, whose Watermark(t) includes t and which for that reason takes 1 ms
// off. Beam has it as here. A watermark is what the source claims: a row that comes all the
// same is late.
//
// It is in whole microseconds. Watermarks can be compared by ==.
type Watermark struct {
	micros uint64 // since 1970, moved by 1<<63, so that the zero Watermark is the least
}

// bias makes an int64 a uint64 in the same order.
const bias = 1 << 63

// farthest is how many seconds from 1970 there are microseconds in an int64, less one.
const farthest = math.MaxInt64/1_000_000 - 1

// WatermarkAt is the watermark at t. Parts of a microsecond are cut off. Of times more than
// 292,277 years from 1970 later ones become the last moment that there is, and earlier
// ones say nothing.
func WatermarkAt(t time.Time) Watermark {
	switch seconds := t.Unix(); {
	case seconds > farthest:
		return Watermark{math.MaxUint64}
	case seconds < -farthest:
		return Watermark{}
	}
	return Watermark{uint64(t.UnixMicro()) + bias}
}

// Known reports whether the watermark says anything.
func (w Watermark) Known() bool { return w != Watermark{} }

// Time is the moment, in UTC; the zero Time where none is known.
func (w Watermark) Time() time.Time {
	if !w.Known() {
		return time.Time{}
	}
	return time.UnixMicro(int64(w.micros - bias)).UTC()
}

// Before reports whether w is the lesser of the two.
func (w Watermark) Before(v Watermark) bool { return w.micros < v.micros }

// String is the moment as in RFC 3339; none where none is known.
func (w Watermark) String() string {
	if !w.Known() {
		return "none"
	}
	return w.Time().Format(time.RFC3339Nano)
}
