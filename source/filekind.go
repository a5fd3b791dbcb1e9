package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
)

// notText returns an error if a file that begins so is certainly not text in UTF-8; the error says
// what it is.
func notText(first []byte) error {
	for _, known := range []struct{ begins, is, remedy string }{
		{"\x1f\x8b", "compressed with gzip twice", "decompress it once (gunzip)"},
		{"\x28\xb5\x2f\xfd", "compressed with zstd twice", "decompress it once (unzstd)"},
		{"BZh", "compressed with bzip2", "decompress it first (bunzip2)"},
		{"\xfd7zXZ\x00", "compressed with xz", "decompress it first (unxz)"},
		{"PK\x03\x04", "a zip archive (or a spreadsheet)", "take the text file out of it"},
		{"PAR1", "in the format Parquet", "read it with package parquet"},
		{"\xff\xfe", "in UTF-16", "write it in UTF-8 (iconv -f UTF-16 -t UTF-8)"},
		{"\xfe\xff", "in UTF-16", "write it in UTF-8 (iconv -f UTF-16 -t UTF-8)"},
	} {
		if bytes.HasPrefix(first, []byte(known.begins)) {
			return fmt.Errorf("%w: the file is %s: %s", rxcql.ErrSchema, known.is, known.remedy)
		}
	}
	if likeUTF16(first) {
		return fmt.Errorf("%w: the file begins with characters and NUL bytes, as UTF-16 does: write it in UTF-8 (iconv -f UTF-16 -t UTF-8)",
			rxcql.ErrSchema)
	}
	return nil
}

// likeUTF16 reports whether every second one of the first bytes is NUL, as in Latin text in UTF-16.
// A text in quotes that begins with a NUL is none.
func likeUTF16(first []byte) bool {
	first = first[:min(len(first), 8)&^1]
	low, high := len(first) > 0, len(first) > 0
	for i, b := range first {
		if b != 0 {
			low, high = low && i%2 == 0, high && i%2 == 1
		}
	}
	return low || high
}

// jsonArray reports whether a file that begins so is one JSON array rather than a value a line. A
// line such as [info] is just a bad line.
func jsonArray(first []byte) bool {
	rest, found := bytes.CutPrefix(bytes.TrimLeft(first, " \t\r\n"), []byte("["))
	line, _, more := bytes.Cut(rest, []byte("\n"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return found && (bytes.HasPrefix(rest, []byte("{")) || more && len(bytes.TrimSpace(line)) == 0)
}

var errJSONArray = fmt.Errorf("%w: the file is one JSON array, and NDJSON is one object a line: "+
	"read it with JSONArray", rxcql.ErrSchema)

// errNoHeader says, as far as can be seen, why a line that names no column is not a header. It does
// not show the line, which may be a row.
func errNoHeader(columns []string, line string, separator byte) error {
	for _, sep := range []string{";", "\t", "|", ","} {
		if sep == string(separator) {
			continue
		}
		for _, name := range strings.Split(line, sep) {
			if strings.Contains(line, sep) && slices.Contains(columns, strings.Trim(strings.TrimSpace(name), `"`)) {
				return fmt.Errorf("the file seems to be separated by %q, and columns are separated by %s here: write it with commas, or give a Dialect with that Separator", sep, separators(separator))
			}
		}
	}
	return errors.New("is the first line a header?")
}

func separators(char byte) string {
	if char == ',' {
		return "commas"
	}
	return strconv.Quote(string(char))
}

var errCROnly = fmt.Errorf("%w: the file has lines that end with a carriage return alone, which is taken for text: "+
	"let them end with \\n or \\r\\n", rxcql.ErrSchema)

// meant proposes, for a column that is not in the header, similar names that are. It shows only the
// column's own name in another case, or with quotes or spaces around it; others, which are proposed
// if the line is known to be a header, by their places.
func meant(column string, header, spare []string, isHeader bool) string {
	var near []string
	for _, name := range spare {
		if spelledAlike(name, column) {
			near = append(near, strconv.Quote(name))
		}
	}
	if len(near) == 0 && isHeader {
		for _, name := range schema.Near(column, spare) {
			near = append(near, fmt.Sprintf("its column %d", slices.Index(header, name)+1))
		}
	}
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + ", which is?"
}

// spelledAlike reports whether a name differs from that of a column only by case, quotes or spaces.
func spelledAlike(name, column string) bool {
	return strings.EqualFold(strings.Trim(name, " \t\"'`"), column)
}

// place says which column of a header is meant, without its name if that may be a value.
func place(i int, name string, columns []string) string {
	if at := slices.IndexFunc(columns, func(of string) bool { return spelledAlike(name, of) }); at >= 0 {
		return fmt.Sprintf("column %d, %q (did you mean %q?),", i+1, name, columns[at])
	}
	return fmt.Sprintf("column %d", i+1)
}
