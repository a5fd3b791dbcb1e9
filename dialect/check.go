package dialect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Check reports everything that is wrong with a dialect at once.
func (d Dialect) Check() error {
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
	if d.Escapes > EscapesPython || d.Escapes == EscapesPython && (d.Escape != '\\' || !d.EscapeBare) {
		wrong("dialect: Escapes is %d: EscapesPython needs the Escape \\ and EscapeBare", d.Escapes)
	}
	if d.Encoding > Latin1 || d.Decimals > DecimalExponent || d.Blobs > BlobBase64 || d.Collections > CollectionCQL {
		wrong("dialect: Encoding, Decimals, Blobs and Collections must be constants of this package")
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
		exact   time.Duration // what may be lost
	}{{"Timestamps", d.Timestamps, time.Millisecond}, {"Dates", d.Dates, 24 * time.Hour}, {"Times", d.Times, 1}} {
		if len(l.layouts) == 0 {
			errs = append(errs, fmt.Errorf("dialect: %s is empty: give a layout as package time has them", l.name))
			continue
		}
		for _, layout := range l.layouts {
			if strings.Contains(layout, "MST") {
				errs = append(errs, fmt.Errorf("dialect: the layout %q of %s has the name of a zone, and names are not known everywhere: use an offset, such as -0700", layout, l.name))
			}
		}
		if layout := l.layouts[0]; !keeps(layout, l.name == "Times", l.exact, d.Zone) {
			errs = append(errs, fmt.Errorf("dialect: the first layout of %s, %q, does not keep a value: it must hold all of it "+
				"(milliseconds and the zone of a timestamp, nanoseconds of a time), since values are written with it", l.name, layout))
		}
	}
	if d.Zone != nil && len(d.Timestamps) > 0 && !zoned(d.Timestamps[0]) && !steady(d.Zone) {
		errs = append(errs, fmt.Errorf("dialect: the first layout of Timestamps, %q, has no zone, and the clocks of %s are changed, so that an hour "+
			"occurs twice: use another Zone, or a layout with an offset", d.Timestamps[0], d.Zone))
	}
	return errs
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

// keeps reports whether a value is the same after it was written and read in a layout.
func keeps(layout string, clock bool, exact time.Duration, zone *time.Location) bool {
	if zone == nil {
		zone = time.UTC
	}
	for _, at := range []time.Time{
		time.Date(2021, 3, 4, 15, 6, 7, 123456789, zone), time.Date(1869, 12, 31, 3, 4, 5, 987654321, zone), time.Date(2121, 1, 2, 0, 0, 0, 0, zone),
	} {
		at = at.Truncate(exact)
		if exact == 24*time.Hour {
			at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
		}
		got, err := time.ParseInLocation(layout, at.Format(layout), zone)
		if clock {
			got = got.AddDate(at.Year()-got.Year(), int(at.Month())-int(got.Month()), at.Day()-got.Day())
		}
		if err != nil || !got.Equal(at) {
			return false
		}
	}
	return true
}

func (d Dialect) clone() Dialect {
	d.Booleans, d.Timestamps = slices.Clone(d.Booleans), slices.Clone(d.Timestamps)
	d.Dates, d.Times = slices.Clone(d.Dates), slices.Clone(d.Times)
	return d
}
