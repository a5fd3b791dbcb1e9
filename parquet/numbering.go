package parquet

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// numbering makes the names of numbered files.
type numbering struct {
	before, after string
	width         int // of the number, with zeros in front
}

var verb = regexp.MustCompile(`%(?:0([1-9]))?d`)

// numberingOf puts the number where the last part of the path has %d, or %05d for five digits at
// least, else before its last dot.
func numberingOf(path string) numbering {
	base := filepath.Base(path)
	if at := verb.FindStringSubmatchIndex(base); at != nil {
		n := numbering{before: base[:at[0]], after: base[at[1]:], width: 1}
		if at[2] >= 0 {
			n.width, _ = strconv.Atoi(base[at[2]:at[3]]) // one digit
		}
		return n
	}
	ext := filepath.Ext(base)
	return numbering{strings.TrimSuffix(base, ext) + "-", ext, 5}
}

func (n numbering) name(number int) string {
	return fmt.Sprintf("%s%0*d%s", n.before, n.width, number, n.after)
}

// number returns the number in a name, 0 if it is none of these names.
func (n numbering) number(name string) int {
	digits, found := strings.CutPrefix(name, n.before)
	digits, has := strings.CutSuffix(digits, n.after)
	number, err := strconv.Atoi(digits)
	if !found || !has || err != nil || number < 1 || n.name(number) != name {
		return 0
	}
	return number
}
