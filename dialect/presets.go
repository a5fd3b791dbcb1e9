package dialect

import (
	"slices"
	"time"
)

// RFC4180 is CSV as RFC 4180 has it, with \n at the ends of lines, in UTF-8, with a header. Null is
// an empty field; empty text is in quotes. Times are RFC 3339 in UTC, bytes hexadecimal,
// collections JSON.
func RFC4180() Dialect {
	return Dialect{
		Name: "rfc4180", Separator: ',', Quote: '"', Escape: '"', Header: true,
		Booleans:   []Words{{"true", "false"}},
		Timestamps: []string{"2006-01-02T15:04:05.000Z07:00"},
		Dates:      []string{time.DateOnly}, Times: []string{"15:04:05.000000000"},
		MaxDigits: 1000,
	}
}

// Cqlsh is the CSV of cqlsh's COPY TO and COPY FROM WITH HEADER = TRUE, of Cassandra 4 and 5 (cqlsh
// on Python 3.10 or later; older ones do not escape a backslash, so that their files cannot be told
// apart, and lose it).
//
// What cqlsh itself cannot tell, or be told: null and empty text are one to COPY FROM, and are two
// to this toolkit only in files that it wrote itself (empty text is in quotes). COPY TO cuts floats
// to 5 digits and doubles to 12, unless FLOATPRECISION and DOUBLEPRECISION are given. COPY FROM
// takes a carriage return in a text for a line feed. It goes by the order of columns, whatever the
// header says (Order).
func Cqlsh() Dialect {
	return Dialect{
		Name: "cqlsh", Separator: ',', Quote: '"', Escape: '\\', EscapeBare: true, Header: true, Order: OrderName,
		Escapes:    EscapesPython,
		Booleans:   []Words{{"True", "False"}},
		Timestamps: []string{"2006-01-02 15:04:05.000-0700"},
		Dates:      []string{time.DateOnly}, Times: []string{"15:04:05.000000000"},
		MaxDigits: 1000, Collections: CollectionCQL,
	}
}

// DSBulk is the CSV of DataStax Bulk Loader with its default settings: quotes are escaped by a
// backslash in quoted fields only, booleans are 1 and 0 (its other words are read too), bytes are
// base64, collections JSON, and a vector that is null is NULL. Timestamps without a zone are UTC.
func DSBulk() Dialect {
	return Dialect{
		Name: "dsbulk", Separator: ',', Quote: '"', Escape: '\\', Header: true,
		VectorNull: "NULL",
		Booleans:   []Words{{"1", "0"}, {"Y", "N"}, {"T", "F"}, {"YES", "NO"}, {"TRUE", "FALSE"}},
		Timestamps: []string{"2006-01-02T15:04:05.999Z07:00"},
		Dates:      []string{time.DateOnly}, Times: []string{"15:04:05.999999999"},
		Zone: time.UTC, MaxDigits: 1000, Blobs: BlobBase64,
	}
}

// presets are in the order of Names.
var presets = []func() Dialect{RFC4180, Cqlsh, DSBulk}

// Names returns the names of the presets.
func Names() []string {
	names := make([]string, len(presets))
	for i, preset := range presets {
		names[i] = preset().Name
	}
	return names
}

// Preset returns the preset of a name; found is false if there is none.
func Preset(name string) (d Dialect, found bool) {
	i := slices.Index(Names(), name)
	if i < 0 {
		return Dialect{}, false
	}
	return presets[i](), true
}
