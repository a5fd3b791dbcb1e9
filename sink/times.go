package sink

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rxcql/rxcql/internal/option"
)

// Times makes a sink.Table[rxcql.Row] write each value at the write time and with the expiry that
// the row has for it, as source.Times reads them: for a column c, the columns "writetime(c)" (a
// bigint, microseconds) and "expires(c)" (a bigint, seconds since 1970; null for never), or both as
// a list<bigint> with one for each element of a map, set, list or user-defined type that is not
// frozen. Types of these columns are compared when the first row comes.
//
// # What is written
//
//   - The values of a row go in groups of one write time and one expiry, a statement for each, in
//     one unlogged batch. What is newer on the server stays, and of two values of one time the
//     larger wins, as for any write.
//   - The time to live is what is left of the expiry when the request is made, of every attempt
//     again. A value that has expired by then is not written, so it never becomes permanent. A
//     value that never expires is written with TTL 0, so a default of the table does not hold.
//   - Elements of maps and sets, and fields of user-defined types, are added one by one: what the
//     table has in other elements stays, as they may be newer.
//   - A list is written as a whole, because its elements cannot be named: see Lists.
//   - A null is not written. Deletions are not copied: CQL does not tell them.
//   - Static columns are written once for each request to their partition, and not with each row. A
//     partition that has static columns only is a row whose clustering columns are null.
//
// # Rows
//
// CQL does not tell when a row itself was written, or until when it stays if its values go (its
// marker). By default a row gets a marker at its newest write time, with its latest expiry (none if
// any of its values never expires), because most rows are inserted. With Markers(MarkersNone) it
// gets none. A row of keys alone, or with nulls otherwise, always gets one, at the MarkerTime.
//
// # Lists
//
// Writing a list that is not frozen twice at one time doubles it. So a list is written later than
// its newest element, by 50 µs for each second that the element is old when it is written (4.3 s
// for a day), and an attempt that is repeated by 1 µs more. Then no two writes of it have one
// time, whichever run they are of, and each replaces the one before. That time is before the row
// was read, or a few milliseconds later if the list was new and the row had to wait. So what was
// written to the table since is newer. Expiries are exact, since elements keep their own, and so
// is the order. If the clock of this machine is set back between two runs, or is behind that of
// another machine which copies the same list, the earlier write stays.
//
// What the table has already is read right before a list is written, by the row's key, behind all
// else of the row: a list there stays if it is newer than the newest element here (it is counted in
// TimesReport.ListsLeft), and a list that is there already is not written again. With a consistency
// of QUORUM or more, a row that cannot be read although its other values were written just now was
// deleted later, and gets no list. What cannot be seen are lists, and elements of lists, that were
// deleted from a row which is still there, less than that time after they were written: they come
// back. And what was removed from a list after it was copied stays in the copy, which looks newer
// then: deletions are not copied. Servers before Cassandra 5.0 do not tell times of elements;
// nothing is compared there.
//
// A run that has written lists ends at most 3 s, usually 0.3 s, after its last write of one: then a
// run that follows has other times.
//
// # What is refused
//
// A column of the rows that has no times (because the server that was read cannot tell them, see
// source.UntimedColumns) is a rxcql.ErrSchema, unless Untimed names it or Lossy is given. A value
// without a write time is a row that failed, unless Lossy is given. So is a value whose elements
// expire at several times and which the table can only hold as a whole (frozen). Counters cannot be
// written with times.
//
// TTL, TTLOf, TimestampOf, Delete and NullsDelete cannot be combined with Times. The sink takes no
// timestamps of the run's clock. In a job rows that are written again change nothing.
func Times(opts ...TimesOption) TableOption {
	return tableOption(func(c *tableConfig) error {
		c.times = &timesConfig{}
		if err := option.Apply(opts, c.times, TimesOption.applyTimes); err != nil {
			return fmt.Errorf("Times: %w", err)
		}
		return nil
	})
}

// TimesOption is an option of Times.
type TimesOption interface{ applyTimes(*timesConfig) error }

// timesConfig has the options of Times.
type timesConfig struct {
	markers    MarkerPolicy
	markerTime int64 // microseconds; 0 for the start of the run
	lossy      bool
	untimed    []string
	counts     *TimesCounts // nil if nobody wants them
}

type timesOption func(*timesConfig) error

func (fn timesOption) applyTimes(c *timesConfig) error { return fn(c) }

// MarkerPolicy says which rows get a marker, see Times.
type MarkerPolicy uint8

const (
	// MarkersGuessed gives each row a marker at its newest write time, with its latest expiry. It
	// is the default.
	MarkersGuessed MarkerPolicy = iota
	// MarkersNone gives a marker only to rows that have no values. It is for tables that are written
	// by UPDATE: there a row goes when its last value goes.
	MarkersNone
)

// Markers says which rows get a marker. Default: MarkersGuessed.
func Markers(policy MarkerPolicy) TimesOption {
	return timesOption(func(c *timesConfig) error {
		if policy > MarkersNone {
			return fmt.Errorf("Markers(%d): no such policy; give MarkersGuessed or MarkersNone", policy)
		}
		c.markers = policy
		return nil
	})
}

// MarkerTime sets the write time of rows that have no values, in whole microseconds. Default: when
// the sink was opened, at the start of the run. Then a row that is deleted from both tables while
// they are copied stays deleted.
func MarkerTime(t time.Time) TimesOption {
	return timesOption(func(c *timesConfig) error {
		if t.UnixMicro() <= 0 {
			return errors.New("MarkerTime: must be after the start of 1970")
		}
		c.markerTime = t.UnixMicro()
		return nil
	})
}

// Untimed names columns of the rows that have no times because they were added on the way, such as
// a constant. Their values get the newest write time of their row, and its latest expiry; those of
// static columns get these of the static columns. Where all of a row is untimed it gets the
// MarkerTime, and never expires.
func Untimed(columns ...string) TimesOption {
	return timesOption(func(c *timesConfig) error {
		if len(columns) == 0 {
			return errors.New("Untimed(): name at least one column")
		}
		for _, name := range columns {
			if slices.Contains(c.untimed, name) {
				return fmt.Errorf("Untimed: %q is named twice: name each column once", name)
			}
			c.untimed = append(c.untimed, name)
		}
		return nil
	})
}

// Lossy takes values of which times are not known, or cannot be written, instead of refusing them:
// a value without times is written as Untimed says, and a frozen value of elements with several
// expiries gets the latest. Each is counted (CountTimes). Values that should expire may stay.
func Lossy() TimesOption {
	return timesOption(func(c *timesConfig) error {
		c.lossy = true
		return nil
	})
}

// CountTimes counts in c what was guessed and what was lost, see TimesCounts.
func CountTimes(c *TimesCounts) TimesOption {
	return timesOption(func(t *timesConfig) error {
		if c == nil {
			return errors.New("CountTimes(nil): leave the option out if nobody reads the counts")
		}
		t.counts = c
		return nil
	})
}
