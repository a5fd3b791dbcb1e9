package codec

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

// Errors of times as text. They say what is wrong without the text.
var (
	errTimestamp = errors.New("not a time in RFC 3339 (2006-01-02T15:04:05Z)")
	errNoZone    = errors.New("the time has no zone, so it is not known which moment it is: write Z or an offset such as +02:00 behind it")
	errNoUnit    = errors.New("a whole number is not a time, since its unit is not known: write it in RFC 3339 (2006-01-02T15:04:05Z)")
	errDate      = errors.New("not a date like 2006-01-02")
	errDateTime  = errors.New("a date with a time of day, which would be lost")
	errDays      = errors.New("a whole number is not a date, since it may be days or milliseconds: write it like 2006-01-02")
	errTimeOfDay = errors.New("not a time of day like 15:04:05.999999999")
	errDuration  = errors.New("not a duration like 1y2mo3d4h5m6s7ms8us9ns")
)

// wholeNumber reports whether a text is digits alone, perhaps behind a sign.
func wholeNumber(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return s != "" && allDigits(s)
}

// ParseTimestamp reads a moment: RFC 3339; with a blank for the T and without the colon of the
// offset, as cqlsh writes it; a date alone, which is midnight UTC; and years of more than four
// digits, or before 0, with a sign.
func ParseTimestamp(s string) (time.Time, error) {
	var t time.Time
	if t.UnmarshalText([]byte(s)) == nil {
		return t, nil
	}
	if wholeNumber(s) {
		return t, errNoUnit
	}
	day, clock, timed := strings.Cut(s, "T")
	if !timed {
		day, clock, timed = strings.Cut(s, " ")
	}
	year, month, date, ok := splitDate(day)
	if !ok {
		return t, errTimestamp
	}
	if !timed {
		return time.Date(year, month, date, 0, 0, 0, 0, time.UTC), nil
	}
	for _, zone := range []string{"Z07:00", "Z0700", "Z07"} {
		if of, err := time.Parse("15:04:05"+zone, clock); err == nil && !strings.Contains(clock, ",") {
			return time.Date(year, month, date, of.Hour(), of.Minute(), of.Second(), of.Nanosecond(), of.Location()), nil
		}
	}
	if _, err := time.Parse("15:04:05", clock); err == nil {
		return t, errNoZone
	}
	if _, err := time.Parse("15:04", clock); err == nil {
		return t, errNoZone
	}
	return t, errTimestamp
}

// AppendTimestamp writes a moment as ParseTimestamp reads it, in its zone.
func AppendTimestamp(dst []byte, t time.Time) []byte {
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*3600 || offset >= 24*3600 {
		t = t.UTC() // RFC 3339 has no such zone
	}
	return appendTimestamp(dst, t, time.RFC3339Nano)
}

// appendTimestamp writes a moment in a form that begins with 2006-01-02.
func appendTimestamp(dst []byte, t time.Time, form string) []byte {
	if y := t.Year(); y > 9999 {
		dst = append(dst, '+')
	} else if y >= 0 {
		return t.AppendFormat(dst, form)
	}
	// The day comes from appendDate, which spells years as the server does.
	y, m, d := t.Date()
	dst = appendDay(dst, y, int(m), d)
	return t.AppendFormat(dst, strings.TrimPrefix(form, "2006-01-02"))
}

// splitDate reads a day that exists.
func splitDate(s string) (year int, month time.Month, day int, ok bool) {
	if len(s) < len("0000-00-00") || s[len(s)-3] != '-' || s[len(s)-6] != '-' {
		return 0, 0, 0, false
	}
	y, mm, dd := s[:len(s)-6], s[len(s)-5:len(s)-3], s[len(s)-2:]
	digits := y
	if y[0] == '-' || y[0] == '+' {
		digits = y[1:]
	}
	year, err := strconv.Atoi(y)
	if err != nil || len(digits) < 4 || len(digits) > 9 || !allDigits(digits) || !allDigits(mm) || !allDigits(dd) {
		return 0, 0, 0, false
	}
	m, d := int(mm[0]-'0')*10+int(mm[1]-'0'), int(dd[0]-'0')*10+int(dd[1]-'0')
	t := time.Date(year, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return year, time.Month(m), d, m >= 1 && m <= 12 && t.Day() == d
}

// ParseDate reads a day as days since 1970: a date, or midnight UTC, which is how a time.Time
// of a date is written.
func ParseDate(s string) (days int32, err error) {
	if days, ok := parseDate(s); ok {
		return days, nil
	}
	if wholeNumber(s) {
		return 0, errDays
	}
	t, err := ParseTimestamp(s)
	if err != nil {
		return 0, errDate
	}
	_, offset := t.Zone()
	if offset != 0 || t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0 || t.Nanosecond() != 0 {
		return 0, errDateTime
	}
	days, ok := daysOf(t)
	if !ok {
		return 0, ErrRange
	}
	return days, nil
}

// ParseTimeOfDay reads a time of day, or the nanoseconds since midnight.
func ParseTimeOfDay(s string) (ns int64, err error) {
	if ns, err := strconv.ParseInt(s, 10, 64); err == nil {
		return ns, nil
	}
	t, err := time.Parse("15:04:05", s)
	if err != nil || strings.Contains(s, ",") || len(s) > len("15:04:05.999999999") {
		return 0, errTimeOfDay
	}
	return int64(t.Hour())*int64(time.Hour) + int64(t.Minute())*int64(time.Minute) + int64(t.Second())*int64(time.Second) +
		int64(t.Nanosecond()), nil
}

var durationUnits = []struct {
	name         string
	months, days int64
	ns           int64
}{
	{"y", 12, 0, 0}, {"mo", 1, 0, 0}, {"w", 0, 7, 0}, {"d", 0, 1, 0},
	{"h", 0, 0, int64(time.Hour)}, {"ms", 0, 0, int64(time.Millisecond)}, {"m", 0, 0, int64(time.Minute)}, {"s", 0, 0, int64(time.Second)},
	{"us", 0, 0, int64(time.Microsecond)}, {"µs", 0, 0, int64(time.Microsecond)}, {"ns", 0, 0, 1},
}

// ParseDuration reads a duration as CQL writes one, or nanoseconds.
func ParseDuration(s string) (d gocql.Duration, err error) {
	if ns, err := strconv.ParseInt(s, 10, 64); err == nil {
		return gocql.Duration{Nanoseconds: ns}, nil
	}
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "" {
		return d, errDuration
	}
	// Below 0, so that the lowest numbers, which have no positive counterpart, can be summed up.
	var months, days, ns int64
	for rest != "" {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		n, err := strconv.ParseInt("-"+rest[:i], 10, 64)
		if err != nil {
			return d, errDuration
		}
		k := i
		for k < len(rest) && (rest[k] < '0' || rest[k] > '9') {
			k++
		}
		unit := strings.ToLower(rest[i:k])
		rest = rest[k:]
		known := false
		for _, u := range durationUnits {
			if known = u.name == unit; known {
				fits := add(&months, n, u.months) && add(&days, n, u.days) && add(&ns, n, u.ns)
				if !fits {
					return d, ErrRange
				}
				break
			}
		}
		if !known {
			return d, errDuration
		}
	}
	if !negative {
		if months == math.MinInt64 || days == math.MinInt64 || ns == math.MinInt64 {
			return d, ErrRange
		}
		months, days, ns = -months, -days, -ns
	}
	d = gocql.Duration{Months: int32(months), Days: int32(days), Nanoseconds: ns}
	if int64(d.Months) != months || int64(d.Days) != days {
		return gocql.Duration{}, ErrRange
	}
	return d, nil
}

// add adds n units, n being 0 or less, and reports whether the sum fits.
func add(sum *int64, n, unit int64) bool {
	if unit == 0 {
		return true
	}
	if n < math.MinInt64/unit || *sum < math.MinInt64-n*unit {
		return false
	}
	*sum += n * unit
	return true
}

var errMixedSigns = errors.New("a duration with parts above and below 0")

// AppendDuration writes a duration as ParseDuration reads it.
func AppendDuration(dst []byte, d gocql.Duration) ([]byte, error) {
	if (d.Months < 0 || d.Days < 0 || d.Nanoseconds < 0) && (d.Months > 0 || d.Days > 0 || d.Nanoseconds > 0) {
		return dst, errMixedSigns
	}
	return appendDuration(dst, d), nil
}

func appendDuration(dst []byte, d gocql.Duration) []byte {
	if d.Months < 0 || d.Days < 0 || d.Nanoseconds < 0 {
		dst = append(dst, '-')
	}
	dst = append(strconv.AppendUint(dst, magnitude(int64(d.Months)), 10), "mo"...)
	dst = append(strconv.AppendUint(dst, magnitude(int64(d.Days)), 10), "d"...)
	return append(strconv.AppendUint(dst, magnitude(d.Nanoseconds), 10), "ns"...)
}
