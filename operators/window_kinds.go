package operators

import (
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/window"
)

// Windows says which windows of event time a row is in: Tumbling, Hopping or Session.
type Windows struct {
	kind        string
	size, every time.Duration // for sessions, size is the gap
	offset      time.Duration
}

// mostWindows is how many windows a row may be in.
const mostWindows = 10_000

const kindSession = "Session"

// Tumbling windows have one size and follow each other: a row is in one of them. They begin at
// multiples of the size since 1970 in UTC, so those of an hour begin at the full hour. See Offset.
func Tumbling(size time.Duration) Windows {
	return Windows{kind: "Tumbling", size: size, every: size}
}

// Hopping windows have one size, and one begins every so often: a row is in size / every of them,
// or one more or less where that is not a whole number. Each of these has a state of its own, and
// the row is folded into each. They begin at multiples of every since 1970 in UTC. every is at most
// the size, and a 10,000th of it at least.
func Hopping(size, every time.Duration) Windows {
	return Windows{kind: "Hopping", size: size, every: every}
}

// Session windows have the rows of a key that are less than a gap apart: a session begins with its
// first row, and ends a gap after its last. Two rows that are a gap apart are of two sessions. A
// row between two sessions makes them one, so MergeStates must be given.
func Session(gap time.Duration) Windows { return Windows{kind: kindSession, size: gap} }

// Offset moves windows: Tumbling(24 * time.Hour).Offset(-2 * time.Hour) begins days at 22:00 UTC,
// which is midnight in UTC+2. There is no daylight saving time in it: a window always has its size.
// Sessions have no offset.
func (w Windows) Offset(d time.Duration) Windows {
	w.offset += d
	return w
}

// String returns a text such as "Hopping(1h0m0s, 1m0s)".
func (w Windows) String() string {
	text := fmt.Sprintf("%s(%v)", w.kind, w.size)
	if w.kind == "Hopping" {
		text = fmt.Sprintf("%s(%v, %v)", w.kind, w.size, w.every)
	}
	if w.offset != 0 {
		text += fmt.Sprintf(".Offset(%v)", w.offset)
	}
	return text
}

// err returns what is wrong with the windows.
func (w Windows) err() error {
	switch {
	case w.kind == "":
		return errors.New("the windows are the zero Windows: give Tumbling, Hopping or Session")
	case w.kind == kindSession && w.offset != 0:
		return fmt.Errorf("%v: sessions have no offset", w)
	case w.kind == kindSession:
		return micros("the gap of "+w.String(), w.size)
	}
	err := errors.Join(micros("the size of "+w.String(), w.size), wholeMicros("the offset of "+w.String(), w.offset))
	if w.every != w.size {
		err = errors.Join(err, micros("every of "+w.String(), w.every))
	}
	switch {
	case err != nil:
		return err
	case w.every > w.size:
		return fmt.Errorf("%v: every is more than the size, so rows in between would be in no window", w)
	case w.size/w.every > mostWindows:
		return fmt.Errorf("%v: a row would be in %d windows, and may be in %d", w, w.size/w.every, mostWindows)
	}
	return nil
}

// micros returns an error unless a duration is above 0 and of whole microseconds.
func micros(what string, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s is %v: must be above 0", what, d)
	}
	return wholeMicros(what, d)
}

func wholeMicros(what string, d time.Duration) error {
	if d%time.Microsecond != 0 {
		return fmt.Errorf("%s is %v: event time has whole microseconds", what, d)
	}
	return nil
}

func (w Windows) grid() window.Grid {
	return window.Grid{Size: w.size.Microseconds(), Every: w.every.Microseconds(), Offset: w.offset.Microseconds()}
}

// facts are what must be the same in each run of a job.
func (w Windows) facts(lateness time.Duration) []rxcql.Fact {
	return []rxcql.Fact{{Name: "windows", Value: w.String()}, {Name: "AllowedLateness", Value: lateness.String()}}
}

// WindowKind says which result of a window this is.
type WindowKind uint8

const (
	// Early is a result so far, of a window whose end event time has not come to (EarlyResults).
	Early = WindowKind(window.Early)
	// Final is the result that is given when event time has come to the window's end.
	Final = WindowKind(window.Final)
	// Corrected takes the place of one that was given before: rows have come late
	// (AllowedLateness). It is also the first result of a key that has late rows only.
	Corrected = WindowKind(window.Corrected)
)

// String returns the name.
func (k WindowKind) String() string {
	if k < Early || k > Corrected {
		return fmt.Sprintf("WindowKind(%d)", uint8(k))
	}
	return [...]string{"Early", "Final", "Corrected"}[k-1]
}

// WindowResult is what has become of the rows of one key in one window.
type WindowResult[K comparable, S any] struct {
	Key        K
	Start, End time.Time // in UTC; End is not in the window. A session ends a gap after its last row
	Value      S
	Rows       int64 // how many rows are in it
	Late       int64 // of these, rows that came when event time was at End already
	Kind       WindowKind
}

// WindowOrLate is a result of a window, or a row that came too late.
type WindowOrLate[T any, K comparable, S any] struct {
	Window WindowResult[K, S] // unless IsLate
	Row    T                  // if IsLate
	// Missed is, of a late row, how many of its windows were over: the earliest ones. If it is in
	// more (Hopping), it is in the results of the others. In a job that goes on a row may be handed
	// on again, with how many it has missed since: windows that an earlier run has made durable are
	// not in the number.
	Missed int
	IsLate bool
}

// eventTime returns a time in microseconds since 1970. The error is that of the row whose time
// cannot be used.
func eventTime(t time.Time) (at int64, err error) {
	const most = window.Farthest / 1_000_000
	switch s := t.Unix(); {
	case s >= most || s <= -most:
		return 0, errTimeTooFar
	case t.IsZero():
		return 0, errNoTime
	}
	return t.UnixMicro(), nil
}

var errTimeTooFar = errors.New("the row's event time is more than 146,000 years from 1970")
