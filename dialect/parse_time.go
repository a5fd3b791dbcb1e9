package dialect

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/rxcql/rxcql/internal/codec"
)

// zoneless are the layouts of timestamps without a zone that are read where a dialect has a Zone.
var zoneless = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// parseTime tries the layouts of the dialect, and then what the toolkit reads everywhere.
func (t *Text) parseTime(dst []byte, typ *Type, text string) ([]byte, error) {
	switch typ.Kind {
	case codec.Timestamp:
		return t.parseTimestamp(dst, typ, text)
	case codec.Date:
		for _, layout := range t.d.Dates {
			if at, err := time.Parse(layout, text); err == nil {
				days := at.Unix() / (24 * 60 * 60)
				if at.Unix() < 0 && at.Unix()%(24*60*60) != 0 {
					days--
				}
				return binary.BigEndian.AppendUint32(dst, uint32(int32(days))^1<<31), nil
			}
		}
	case codec.Time:
		for _, layout := range t.d.Times {
			if strings.Contains(text, ",") != strings.Contains(layout, ",") { // package time takes a comma for a point
				continue
			}
			if at, err := time.Parse(layout, text); err == nil && !codec.BelowNanos(text) {
				ns := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute +
					time.Duration(at.Second())*time.Second + time.Duration(at.Nanosecond())
				return binary.BigEndian.AppendUint64(dst, uint64(ns)), nil
			}
		}
	}
	return codec.ParseText(dst, typ, []byte(text))
}

func (t *Text) parseTimestamp(dst []byte, typ *Type, text string) ([]byte, error) {
	for i, layout := range t.d.Timestamps {
		if !t.zoned[i] && t.d.Zone == nil {
			continue
		}
		if at, err := time.ParseInLocation(layout, text, t.zone()); err == nil {
			if !t.zoned[i] {
				err = t.oneMoment(at, layout, text)
			}
			if err != nil {
				return dst, err
			}
			return appendMillis(dst, at, text)
		}
	}
	if t.d.Zone != nil {
		for _, layout := range zoneless {
			if at, err := time.ParseInLocation(layout, text, t.d.Zone); err == nil {
				if err := t.oneMoment(at, layout, text); err != nil {
					return dst, err
				}
				return appendMillis(dst, at, text)
			}
		}
	}
	if at, err := codec.ParseTimestamp(text); err == nil {
		return appendMillis(dst, at, text)
	}
	return codec.ParseText(dst, typ, []byte(text)) // milliseconds, or an error that says what is wrong
}

// oneMoment returns an error if a text without an offset, which was read as a moment in the
// dialect's zone, may be none or two: where the clocks there are changed.
func (t *Text) oneMoment(at time.Time, layout, text string) error {
	if t.steady {
		return nil
	}
	shown, err := time.Parse(layout, text) // what the clocks show
	if err != nil {
		return err
	}
	var offsets []int
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} { // before and after a change
		_, offset := at.Add(near).Zone()
		moment := shown.Add(-time.Duration(offset) * time.Second).In(t.d.Zone)
		if _, is := moment.Zone(); is == offset && !slices.Contains(offsets, offset) {
			offsets = append(offsets, offset)
		}
	}
	switch len(offsets) {
	case 0:
		return errNoMoment
	case 1:
		return nil
	}
	return errTwoMoments
}

func (t *Text) zone() *time.Location {
	if t.d.Zone == nil {
		return time.UTC
	}
	return t.d.Zone
}

func appendMillis(dst []byte, at time.Time, text string) ([]byte, error) {
	ms, err := codec.MillisOf(at, text)
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, uint64(ms)), nil
}
