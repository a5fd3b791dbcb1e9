package codec

import (
	"errors"
	"strings"
	"time"
)

// errFiner: a text says more of a moment than a timestamp holds.
var errFiner = errors.New("the time has parts below a millisecond, which a timestamp does not hold")

// MillisOf returns the milliseconds since 1970 of a moment that was read from a text. Nothing is
// cut off: a moment between two milliseconds is an error.
func MillisOf(at time.Time, text string) (int64, error) {
	ms, fits := Millis(at)
	switch {
	case !fits:
		return 0, ErrRange
	case at.Nanosecond()%int(time.Millisecond) != 0 || BelowNanos(text):
		return 0, errFiner
	}
	return ms, nil
}

// BelowNanos reports whether a text has more than nine digits of a fraction, which package time
// would cut.
func BelowNanos(text string) bool {
	i := strings.LastIndexAny(text, ".,")
	if i < 0 {
		return false
	}
	fraction := text[i+1:]
	end := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(fraction)
	}
	return end > 9
}
