package dialect

import "github.com/rxcql/rxcql/internal/codec"

// Type is a CQL type; rxcql.ColumnType is the same.
type Type = codec.Type

// Text reads and writes single values in a dialect. It is made once, and many goroutines may use it
// at the same time.
//
// Its Parse is in parse.go and parse_*.go, its Append in format.go and format_*.go. Both are about
// the text of a field that is not null, without the quotes and escapes of CSV, in UTF-8.
type Text struct {
	d     Dialect
	zoned []bool // which of the layouts of timestamps have a zone
	clock clock  // of timestamps that are written

	steady bool // the clocks of the dialect's zone are never changed
}

// NewText checks the dialect; its error is that of Check.
func NewText(d Dialect) (*Text, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	return newText(d), nil
}

// NewParser returns a Text for reading alone. It checks the dialect; its error is that of
// CheckReading.
func NewParser(d Dialect) (*Text, error) {
	if err := d.CheckReading(); err != nil {
		return nil, err
	}
	return newText(d), nil
}

func newText(d Dialect) *Text {
	t := &Text{d: d.clone(), clock: clockOf(d.Timestamps[0], d.Zone), steady: d.Zone == nil || steady(d.Zone)}
	for _, layout := range d.Timestamps {
		t.zoned = append(t.zoned, zoned(layout))
	}
	return t
}

// Dialect returns the dialect that the Text was made of. You must not change its slices.
func (t *Text) Dialect() Dialect { return t.d }
