package dialect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Check reports everything that is wrong with a dialect at once: what CheckReading reports, and
// layouts that do not keep the times that are written with them.
func (d Dialect) Check() error { return errors.Join(d.CheckReading(), d.checkWriting()) }

// CheckReading reports everything at once that is wrong with a dialect for files that are only
// read.
func (d Dialect) CheckReading() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, c := range []struct {
		name string
		char byte
		tab  bool
	}{{"Separator", d.Separator, true}, {"Quote", d.Quote, false}, {"Escape", d.Escape, false}} {
		if !syntax(c.char, c.tab) {
			wrong("dialect: %s is %q: it must be an ASCII character that is not a letter, a digit, a blank, a minus or a control character", c.name, c.char)
		}
	}
	if d.Separator == d.Quote || d.Separator == d.Escape {
		wrong("dialect: Separator is %q, as Quote or Escape is: they must differ", d.Separator)
	}
	if d.EscapeBare && d.Escape == d.Quote {
		wrong("dialect: EscapeBare needs an Escape that is not the Quote")
	}
	if strings.ContainsAny(d.Null+d.VectorNull, string([]byte{d.Separator, d.Quote, '\r', '\n'})) || d.EscapeBare && strings.IndexByte(d.Null+d.VectorNull, d.Escape) >= 0 {
		wrong("dialect: Null is %q and VectorNull %q: a text for null must have no separator, quote, escape or line break", d.Null, d.VectorNull)
	}
	if all := d.Null + d.VectorNull; !utf8.ValidString(all) || d.Encoding == Latin1 && strings.ContainsFunc(all, func(r rune) bool { return r > 0xff }) {
		wrong("dialect: Null is %q and VectorNull %q: a text for null must be in UTF-8, of characters that the Encoding has", d.Null, d.VectorNull)
	}
	if d.Escapes > EscapesPython || d.Escapes == EscapesPython && (d.Escape != '\\' || !d.EscapeBare) {
		wrong("dialect: Escapes is %d: EscapesPython needs the Escape \\ and EscapeBare", d.Escapes)
	}
	if d.Encoding > Latin1 || d.Order > OrderName || d.Decimals > DecimalExponent || d.Blobs > BlobBase64 || d.Collections > CollectionCQL {
		wrong("dialect: Encoding, Order, Decimals, Blobs and Collections must be constants of this package")
	}
	if d.MaxDigits < 1 || d.MaxDigits > 100_000 {
		wrong("dialect: MaxDigits is %d: it must be from 1 to 100000", d.MaxDigits)
	}
	return errors.Join(append(errs, d.checkWords()...)...)
}

func syntax(c byte, tab bool) bool {
	switch {
	case c == '\t':
		return tab
	case c <= ' ', c >= 0x7f, c == '-':
		return false
	}
	return c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z'
}

// checkWords checks what values are spelled with.
func (d Dialect) checkWords() (errs []error) {
	if len(d.Booleans) == 0 {
		errs = append(errs, errors.New("dialect: Booleans is empty: give the words for true and false"))
	}
	means := map[string]bool{}
	for _, w := range d.Booleans {
		for value, word := range map[bool]string{true: w.True, false: w.False} {
			word = strings.ToLower(word)
			if was, known := means[word]; word == "" || word == strings.ToLower(d.Null) || known && was != value {
				errs = append(errs, fmt.Errorf("dialect: the word %q of Booleans is empty, is Null, or is both true and false", word))
			}
			means[word] = value
		}
	}
	for _, l := range []struct {
		name    string
		layouts []string
	}{{"Timestamps", d.Timestamps}, {"Dates", d.Dates}, {"Times", d.Times}} {
		if len(l.layouts) == 0 {
			errs = append(errs, fmt.Errorf("dialect: %s is empty: give a layout as package time has them", l.name))
		}
		for i, layout := range l.layouts {
			switch {
			case strings.Contains(layout, "MST"):
				errs = append(errs, fmt.Errorf("dialect: the layout %q of %s has the name of a zone, and names are not known everywhere: use an offset, such as -0700", layout, l.name))
			case l.name == "Timestamps" && i == 0 && d.Zone == nil && !zoned(layout): // others are passed over
				errs = append(errs, fmt.Errorf("dialect: the first layout of Timestamps, %q, has no zone: give a Zone, such as UTC, or add an offset, such as -0700", layout))
			case l.name != "Times" && !keepsDay(layout):
				errs = append(errs, fmt.Errorf("dialect: the layout %q of %s does not say a day: it must hold year, month and day", layout, l.name))
			}
		}
	}
	return errs
}

// checkWriting checks the layouts that values are written with, the first ones.
func (d Dialect) checkWriting() error {
	var errs []error
	for _, l := range []struct {
		name    string
		layouts []string
		keeps   func(layout string) bool
	}{
		{"Timestamps", d.Timestamps, func(layout string) bool { return keepsMoment(layout, d.Zone) }},
		{"Dates", d.Dates, keepsDate},
		{"Times", d.Times, keepsTime},
	} {
		if len(l.layouts) > 0 && !l.keeps(l.layouts[0]) {
			errs = append(errs, fmt.Errorf("dialect: the first layout of %s, %q, does not keep a value: it must hold all of it "+
				"(milliseconds and the zone of a timestamp, nanoseconds of a time), since values are written with it", l.name, l.layouts[0]))
		}
	}
	if d.Zone != nil && len(d.Timestamps) > 0 && !zoned(d.Timestamps[0]) && !steady(d.Zone) {
		errs = append(errs, fmt.Errorf("dialect: the first layout of Timestamps, %q, has no zone, and the clocks of %s are changed, so that an hour "+
			"occurs twice: use another Zone, or a layout with an offset", d.Timestamps[0], d.Zone))
	}
	return errors.Join(errs...)
}

// steady reports whether the offset of a zone is always the same, as far as months tell.
func steady(zone *time.Location) bool {
	_, first := time.Date(1900, 1, 1, 0, 0, 0, 0, zone).Zone()
	for month := 1; month < 250*12; month++ {
		if _, offset := time.Date(1900, time.Month(month), 1, 0, 0, 0, 0, zone).Zone(); offset != first {
			return false
		}
	}
	return true
}

// moments are times that a layout may lose something of.
var moments = []time.Time{
	time.Date(2021, 3, 4, 15, 6, 7, 123456789, time.UTC), time.Date(1869, 12, 31, 3, 4, 5, 987654321, time.UTC), time.Date(2121, 1, 2, 0, 0, 0, 0, time.UTC),
}

// keepsMoment reports whether a timestamp is the same after it was written and read in a layout.
func keepsMoment(layout string, zone *time.Location) bool {
	c := clockOf(layout, zone)
	return !slices.ContainsFunc(moments, func(at time.Time) bool {
		at = at.Truncate(time.Millisecond)
		got, err := time.ParseInLocation(layout, c.at(at).Format(layout), c.zone)
		return err != nil || !got.Equal(at)
	})
}

// keepsDate reports whether a date is the same then.
func keepsDate(layout string) bool {
	return !slices.ContainsFunc(moments, func(at time.Time) bool {
		at = at.Truncate(24 * time.Hour)
		got, err := time.Parse(layout, at.Format(layout))
		return err != nil || !got.Equal(at)
	})
}

// keepsTime reports whether a time of day is the same then.
func keepsTime(layout string) bool {
	return !slices.ContainsFunc(moments, func(at time.Time) bool {
		got, err := time.Parse(layout, at.Format(layout))
		return err != nil || got.Sub(got.Truncate(24*time.Hour)) != at.Sub(at.Truncate(24*time.Hour))
	})
}

// keepsDay reports whether a layout holds the day of a date of our time.
func keepsDay(layout string) bool {
	at := moments[0]
	got, err := time.Parse(layout, at.Format(layout))
	return err == nil && got.Year() == at.Year() && got.YearDay() == at.YearDay()
}

func (d Dialect) clone() Dialect {
	d.Booleans, d.Timestamps = slices.Clone(d.Booleans), slices.Clone(d.Timestamps)
	d.Dates, d.Times = slices.Clone(d.Dates), slices.Clone(d.Times)
	return d
}
