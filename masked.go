package rxcql

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestReason and longestError are how many bytes of a text a report or a log line
// shows: of why a row failed, and of the error that ended a run.
const longestReason, longestError = 300, 2000

// hidden stands for what a report or a log line leaves out of an error's text.
const hidden = "…"

// saying is an error's text in words of the user's, and what the log shows of it.
type saying struct{ whole, shown string }

// say masks an error's text; row is what it is of, as far as that is known.
func say(err error, row any) *saying {
	whole := textOf(err)
	return &saying{whole, short(masked(whole, row), longestReason)}
}

// textOf is an error's text. A method Error of the user's may panic.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "an error of type " + reflect.TypeOf(err).String() + ", whose text cannot be had: its method Error panics"
		}
	}()
	return err.Error()
}

// short makes a text one line of at most so many bytes.
func short(text string, longest int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	text = strings.ToValidUTF8(text, hidden)
	if len(text) <= longest {
		return text
	}
	cut := longest - len(hidden)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + hidden
}

// quoted finds text in quotes, up to the end where they are not closed. A single
// quote after a letter is an apostrophe.
var quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*(?:\"|\\\\?$)|`[^`]*(?:`|$)|(^|[^\\pL\\pN])'[^']*(?:'|$)")

// token finds what counts as one word: numbers, names with dots, addresses.
var token = regexp.MustCompile(`[\pL\pN_](?:[-\pL\pN_.@+/]*[\pL\pN_])?`)

// technical are words with a digit that are no values.
var technical = regexp.MustCompile(`(?i)^(?:u?int(?:8|16|32|64)|float(?:32|64)|base(?:32|64)|utf-?(?:8|16)|ipv[46]|sha-?(?:1|256|512)|md5|iso8601|rfc3339)$`)

// several finds hidden words in a row, which are as good as one.
var several = regexp.MustCompile(hidden + `(?:\s+` + hidden + `)+`)

// masked leaves out of a text what may be a value.
func masked(text string, row any) string {
	texts := textsOf(row)
	text = quoted.ReplaceAllString(text, `${1}"`+hidden+`"`)
	text = token.ReplaceAllStringFunc(text, func(word string) string {
		if strings.ContainsFunc(word, unicode.IsDigit) && !technical.MatchString(word) ||
			slices.ContainsFunc(texts, holds(strings.ToLower(word))) {
			return hidden
		}
		return word
	})
	return several.ReplaceAllString(text, hidden)
}

// Texts of a row are matched like this: in short ones (names, codes) a word of three
// letters counts, in long ones (prose) one of four, lest "the" and "not" be left out.
const (
	leastShort, leastLong = 3, 4
	longText              = 64
)

// holds returns a function: it reports whether a text of a row has the word in it, or the word
// has the text, or any part of one, in it.
func holds(word string) func(text string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return func(text string) bool {
		least := leastShort
		if len(text) > longText {
			least = leastLong
		}
		if len(text) >= least && len(text) <= longText && strings.Contains(word, text) {
			return true
		}
		return slices.ContainsFunc(parts, func(part string) bool { return len(part) >= least && strings.Contains(text, part) })
	}
}

// textsOf are the texts in a row, in lower case. Numbers need not be known: no word
// with a digit is shown.
func textsOf(row any) []string {
	t := &texts{}
	if r, ok := row.(Row); ok {
		for _, cell := range r.cells {
			t.add(string(cell))
		}
		return t.found
	}
	t.walk(reflect.ValueOf(row), 0)
	return t.found
}

type texts struct{ found []string }

func (t *texts) add(text string) {
	if text != "" {
		t.found = append(t.found, strings.ToLower(text))
	}
}

// deepest bounds the walk through a row, which may refer to itself.
const deepest = 8

func (t *texts) walk(v reflect.Value, depth int) {
	if depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.String:
		t.add(v.String())
	case reflect.Pointer, reflect.Interface:
		t.walk(v.Elem(), depth+1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Row]() {
			v = v.FieldByName("cells")
			t.walk(v, depth+1)
			return
		}
		for i := range v.NumField() {
			t.walk(v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		switch v.Type().Elem().Kind() {
		case reflect.Uint8:
			if v.Kind() == reflect.Slice {
				t.add(string(v.Bytes()))
			}
		case reflect.String, reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
			for i := range v.Len() {
				t.walk(v.Index(i), depth+1)
			}
		default: // numbers
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			t.walk(each.Key(), depth+1)
			t.walk(each.Value(), depth+1)
		}
	default:
	}
}
