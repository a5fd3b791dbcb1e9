package dialect

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// Errors of values. They do not hold the text.
var (
	errWord       = errors.New("not one of the words that the dialect has for true and false")
	errNoMoment   = errors.New("the clocks of the zone were put forward over this time, so there is no such moment: write an offset, such as +02:00, behind it")
	errTwoMoments = errors.New("the clocks of the zone were put back, so it was this time twice: write an offset, such as +02:00, behind it")
	errBase64     = errors.New("bytes must be written in base64 (RFC 4648, with padding), or as 0x and pairs of hexadecimal digits")
)

// Null reports whether a field means null in a column of the type. quoted says that the field was
// in quotes.
func (t *Text) Null(typ *Type, field []byte, quoted bool) bool {
	if quoted {
		return false
	}
	return string(field) == t.d.Null || typ.Kind == codec.Vector && t.d.VectorNull != "" && string(field) == t.d.VectorNull
}

// Parse reads the text of a field that is not null, and adds the value's bytes (CQL protocol v4,
// section 6) to dst. Blanks around a single value belong to it, and are an error where they cannot.
// An empty text is a value for text and, with BlobBase64, for bytes. Errors hold no value; what
// Parse returns with an error is of no use.
func (t *Text) Parse(dst []byte, typ *Type, text []byte) ([]byte, error) {
	switch typ.Kind {
	case codec.List, codec.Set, codec.Map, codec.Tuple, codec.UDT, codec.Vector:
		text = bytes.TrimSpace(text)
		if t.d.Collections == CollectionCQL {
			return t.parseCQL(dst, typ, text)
		}
		if err := jsonline.CheckField(text); err != nil {
			return dst, err
		}
		return codec.TextParser(t.Parse).JSON(dst, typ, text)
	}
	return t.parseSingle(dst, typ, text)
}

// parseSingle reads a value that does not consist of others.
func (t *Text) parseSingle(dst []byte, typ *Type, text []byte) ([]byte, error) {
	switch typ.Kind {
	case codec.Blob:
		if t.d.Blobs == BlobBase64 {
			return parseBase64(dst, text)
		}
	case codec.Boolean:
		return t.parseBoolean(dst, text)
	case codec.Timestamp, codec.Date, codec.Time:
		if len(text) > 0 {
			return t.parseTime(dst, typ, string(text))
		}
	}
	dst, err := codec.ParseText(dst, typ, text)
	if trimmed := bytes.TrimSpace(text); err != nil && len(trimmed) < len(text) && len(trimmed) > 0 {
		err = fmt.Errorf("%w: there are blanks around it, which belong to a field", err)
	}
	return dst, err
}

func (t *Text) parseBoolean(dst, text []byte) ([]byte, error) {
	for _, w := range t.d.Booleans {
		switch {
		case strings.EqualFold(string(text), w.True):
			return append(dst, 1), nil
		case strings.EqualFold(string(text), w.False):
			return append(dst, 0), nil
		}
	}
	if v, err := codec.ParseBool(string(text)); err == nil { // in JSON it has no other words
		if v {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	}
	return dst, errWord
}

// parseBase64 takes what may be hexadecimal digits for these, as DSBulk does.
func parseBase64(dst, text []byte) ([]byte, error) {
	if dst == nil {
		dst = []byte{}
	}
	if looksHex(text) {
		return codec.ParseHex(dst, text)
	}
	out, err := base64.StdEncoding.Strict().AppendDecode(dst, text)
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		return dst, errBase64
	}
	return out, nil
}

// looksHex reports whether a text is 0x and pairs of hexadecimal digits. Bytes of which the base64
// looks so are written as hexadecimal digits, so that they are read back.
func looksHex(text []byte) bool {
	digits, found := bytes.CutPrefix(text, []byte("0x"))
	return found && len(digits)%2 == 0 && len(bytes.Trim(digits, "0123456789abcdefABCDEF")) == 0
}

// zoned reports whether text of a layout has its zone.
func zoned(layout string) bool {
	at := time.Date(2021, 3, 4, 15, 6, 7, 0, time.FixedZone("", 3600))
	return at.Format(layout) != at.In(time.FixedZone("", 7200)).Add(-time.Hour).Format(layout)
}
