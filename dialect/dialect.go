package dialect

import "time"

// Dialect says how rows are spelled in a file of CSV. Begin with a preset (RFC4180, Cqlsh, DSBulk)
// and change fields; the zero Dialect is not one. The same Dialect serves for reading and for
// writing: what is written with it is read back with it as the same values.
//
// Where a field holds several spellings, the first is written, and all are read.
type Dialect struct {
	// Name is that of the preset; it stands in errors and plans.
	Name string

	// Separator stands between fields. Like Quote and Escape it is one ASCII character that is not
	// a letter, a digit, a blank, a minus or a line break; a tab may be the separator.
	Separator byte
	// Quote stands around a field that has a separator, a quote or a line break in it. Only a quote
	// at the beginning of a field opens one.
	Quote byte
	// Escape stands before a quote that belongs to the text of a quoted field, and before itself.
	// An Escape that equals Quote doubles quotes, as RFC 4180 does.
	Escape byte
	// EscapeBare says that Escape has its meaning outside of quotes too, as in Python; otherwise it
	// is text there, as in DSBulk. It must be false if Escape equals Quote.
	EscapeBare bool
	// Header says that the first record names the columns. Without a header the columns are those
	// of the struct, in its order, or of the table, in the Order of the dialect, unless the source
	// is told others.
	Header bool
	// Order is that of a table's columns where nobody names them: in a file without a header, and in
	// what transfer.Unload writes.
	Order Order
	// Encoding is that of the file's text.
	Encoding Encoding

	// Null is a field without quotes that means null. A field in quotes is never null. If Null is
	// not empty, an empty field is empty text.
	Null string
	// VectorNull is a further text without quotes that means null in a column of type vector.
	// Nothing, if it is empty. DSBulk writes NULL there, and an empty field in other columns.
	VectorNull string
	// Escapes is a second level of escapes, in the text of a field.
	Escapes Escapes

	// Booleans are the words for true and false, read without regard to case.
	Booleans []Words
	// Timestamps, Dates and Times are layouts as package time has them, for the CQL types
	// timestamp, date and time. If none of them fits, what the toolkit reads everywhere is tried:
	// RFC 3339, with a blank for the T or without a colon in the offset; dates alone; milliseconds
	// for a timestamp, nanoseconds for a time. A timestamp that the first layout cannot hold, since
	// its year is not from 0 to 9999, is written as milliseconds.
	Timestamps, Dates, Times []string
	// Zone is that of timestamps whose text has none; nil refuses these. Refused as well is a time at
	// which its clocks were put forward, which is no moment, or back, which is two. It is the zone of
	// written timestamps too, nil being UTC.
	Zone *time.Location
	// Decimals is how decimals are written; all forms are read.
	Decimals Decimals
	// MaxDigits is the most digits of a decimal that is written without an exponent. One that has
	// more is written with an exponent, in every form. From 1 to 100000.
	MaxDigits int
	// Blobs is how bytes are written. Hexadecimal digits with 0x are always read, base64 only with
	// BlobBase64.
	Blobs Blobs
	// Collections is how lists, sets, maps, tuples, vectors and user-defined types are written and
	// read.
	Collections Collections
}

// Order is an order of a table's columns.
type Order uint8

// Orders of columns. They differ in tables that have static columns.
const (
	// OrderSelect is that of SELECT *: the primary key, then static columns by name, then the others
	// by name.
	OrderSelect Order = iota
	// OrderName is that of cqlsh's COPY: the primary key, then all others by name.
	OrderName
)

// Words are a pair of words for a boolean.
type Words struct{ True, False string }

// Encoding is how characters are spelled in bytes.
type Encoding uint8

// Encodings. A character that a file's encoding does not have is a row that failed.
const (
	UTF8   Encoding = iota // the default
	Latin1                 // ISO 8859-1: one byte a character, U+0000 to U+00FF
)

// Escapes is a second level of escapes, below those of CSV.
type Escapes uint8

// Levels of escapes.
const (
	// EscapesNone: text is as it stands.
	EscapesNone Escapes = iota
	// EscapesPython is what cqlsh COPY TO writes: in the text of every column a backslash is
	// doubled, and a control character is \n, \r, \t or \x and two hexadecimal digits. COPY FROM
	// does not read that; it takes \n for two characters. So that both can be read, a field in
	// quotes without a bare separator in it has no such escapes: cqlsh puts a field in quotes only
	// because of a separator, and never escapes that. Such a field is what is written here, with
	// every separator escaped, where a text has a backslash; COPY FROM reads it rightly.
	//
	// A file that was made for COPY FROM, and not by COPY TO, has EscapesNone.
	EscapesPython
)

// Decimals is how decimals are written.
type Decimals uint8

// Forms of decimals. Each keeps the scale, so that 1.10 is not 1.1.
const (
	// DecimalString is what Java and Python write: 123.450, and 1.5E+30 where a plain form would
	// need zeros that are not digits of the number.
	DecimalString Decimals = iota
	// DecimalPlain has no exponent if the scale is 0 or more (0.00000001); a number with a scale
	// below 0 is written with an exponent, since zeros would be another scale.
	DecimalPlain
	// DecimalExponent is all digits and an exponent: 123450E-3.
	DecimalExponent
)

// Blobs is how bytes are written.
type Blobs uint8

// Forms of bytes.
const (
	// BlobHex is 0x00ff.
	BlobHex Blobs = iota
	// BlobBase64 is AP8= (RFC 4648, with padding). As in DSBulk, what may be 0x and pairs of
	// hexadecimal digits is taken for these; so bytes of which the base64 looks so are written as
	// hexadecimal digits. DSBulk itself writes those as base64, and then cannot read them back: of
	// blobs of 3 bytes, say, about 1 in 40,000.
	BlobBase64
)

// Collections is how values that consist of others are written.
type Collections uint8

// Forms of collections.
const (
	// CollectionJSON is JSON, as INSERT … JSON takes it; booleans, bytes, decimals and times in it
	// have the forms of the dialect.
	CollectionJSON Collections = iota
	// CollectionCQL is as cqlsh writes it: [1, 2], {'a', 'b'}, {'k': 'v'}, (1, 'a'), {field: 1}.
	// Text, times and addresses are in single quotes, and a single quote in them is doubled. Null in
	// a tuple or a user-defined type is nothing. In a map, a set or a list there is no null.
	CollectionCQL
)
