package csvrow

import "bytes"

// kinds are what files of other kinds begin with, as text in UTF-8: also that of which ISO 8859-1
// makes the bytes. Package source refuses or decompresses files that begin so.
var kinds = []string{
	"\ufeff", "BZh", "PAR1", "PK\x03\x04", "\x1f\u008b", "(\u00b5/\u00fd", "\u00fd7zXZ", "\u00ff\u00fe", "\u00fe\u00ff", "\u00ef\u00bb\u00bf",
}

// mistaken reports whether a file would seem to be of another kind if it began with a text, or with
// a field of nothing and the text. In quotes it does not.
func mistaken(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	if text[0] == 0 || len(text) > 1 && text[1] == 0 { // as UTF-16 has it
		return true
	}
	switch text[0] {
	case 'B', 'P', '(', 0x1f, 0xc3, 0xef:
		for _, kind := range kinds {
			if bytes.HasPrefix(text, []byte(kind)) {
				return true
			}
		}
	}
	return false
}
