package rxcql

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestReason and longestError are the most bytes of text that a report or a log line shows: of
// the reason why a row failed, and of the error that ended a run.
const longestReason, longestError = 300, 2000

// hidden stands for what a report or a log line leaves out of an error's text.
const hidden = "…"

// saying is the text of an error in the user's words, and what the log shows of it.
type saying struct{ whole, shown string }

// say masks the text of an error. row is the row that the error is about, as far as known.
func say(err error, row any) *saying {
	whole := textOf(err)
	return &saying{whole, short(masked(whole, row), longestReason)}
}

// textOf returns an error's text. It survives a panic in a user's Error method.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "an error of type " + reflect.TypeOf(err).String() + ", whose method Error panics"
		}
	}()
	return err.Error()
}

// short makes a text one line of at most longest bytes.
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

// quoted matches text in quotes, up to the end if they are not closed. A single quote after a
// letter is an apostrophe.
var quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*(?:\"|\\\\?$)|`[^`]*(?:`|$)|(^|[^\\pL\\pN])'[^']*(?:'|$)")

// token matches what counts as one word: numbers, names with dots, addresses.
var token = regexp.MustCompile(`[\pL\pN_](?:[-\pL\pN_.@+/]*[\pL\pN_])?`)

// technical matches words that have a digit but are not values.
var technical = regexp.MustCompile(`(?i)^(?:u?int(?:8|16|32|64)|float(?:32|64)|base(?:32|64)|utf-?(?:8|16)|ipv[46]|sha-?(?:1|256|512)|md5|iso8601|rfc3339)$`)

// several matches hidden words in a row; one hidden mark replaces them.
var several = regexp.MustCompile(hidden + `(?:\s+` + hidden + `)+`)

// masked replaces in a text whatever may be a value.
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

// The least letters of a word that is compared with the texts of a row: three with short texts
// (names, codes), four with long ones (prose), so that "the" and "not" are not hidden.
const (
	leastShort, leastLong = 3, 4
	longText              = 64
)

// holds returns a function that reports whether a text of a row contains the word, or the word
// contains the text or a part of it.
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

// textsOf returns the texts in a row, in lower case. Numbers are not needed: no word with a digit
// is shown.
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
