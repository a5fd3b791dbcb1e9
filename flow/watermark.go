package flow

import (
	"math"
	"time"
)

// Watermark is how far event time has come in a part of a source: no row with an earlier event time
// will come from that part. A row with exactly that time may come. The zero Watermark says nothing,
// and is before all others.
//
// So a window that ends at t, t excluded, is complete as soon as the watermark is t. Beam's
// watermark is the same. Flink's Watermark(t) includes t, so it is 1 ms less at the same row. A
// watermark is what the source claims; a row that comes all the same is late.
//
// It has whole microseconds. Watermarks can be compared by ==.
type Watermark struct {
	micros uint64 // since 1970, plus 1<<63, so that the zero Watermark is the least
}

// bias makes an int64 a uint64 in the same order.
const bias = 1 << 63

// farthest is the number of seconds from 1970 whose microseconds fit an int64, less one.
const farthest = math.MaxInt64/1_000_000 - 1

// Forever is the watermark after all others: nothing comes any more. No source says it: a part that
// has ended says so (Position.Last). A stage's EventClock is there when all parts have ended.
var Forever = Watermark{math.MaxUint64}

// WatermarkAt returns the watermark at t, cut to whole microseconds. A time more than 292,277 years
// after 1970 becomes the last moment before Forever; one more than that before 1970 gives the zero
// Watermark.
func WatermarkAt(t time.Time) Watermark {
	switch seconds := t.Unix(); {
	case seconds > farthest:
		return Watermark{math.MaxUint64 - 1}
	case seconds < -farthest:
		return Watermark{}
	}
	return Watermark{uint64(t.UnixMicro()) + bias}
}

// Known reports whether the watermark says anything.
func (w Watermark) Known() bool { return w != Watermark{} }

// Time returns the moment, in UTC; the zero Time if the watermark says nothing, and the last moment
// that a watermark can have for Forever.
func (w Watermark) Time() time.Time {
	if !w.Known() {
		return time.Time{}
	}
	return time.UnixMicro(int64(w.micros - bias)).UTC()
}

// Before reports whether w is earlier than v.
func (w Watermark) Before(v Watermark) bool { return w.micros < v.micros }

// String returns the moment as in RFC 3339; "none" if the watermark says nothing.
func (w Watermark) String() string {
	switch {
	case !w.Known():
		return "none"
	case w == Forever:
		return "forever"
	}
	return w.Time().Format(time.RFC3339Nano)
}
