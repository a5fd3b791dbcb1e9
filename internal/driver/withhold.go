package driver

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gocql/gocql"
)

// WithheldError is a server's error of which the words are kept back: functions
// and conversions quote the bound value that they could not take. It wraps the
// server's error, whose own text still has them.
type WithheldError struct {
	Code int    // of the protocol, such as 0x2200 for Invalid
	Says string // what the server says, in words of our own; empty if that is not known
	Err  error
}

func (e *WithheldError) Error() string {
	if e.Says != "" {
		return fmt.Sprintf("the server refused it (code 0x%04x, %v): %s", e.Code, Classify(e.Err), e.Says)
	}
	return fmt.Sprintf("the server refused it (code 0x%04x, %v); its words are withheld, since they seem to quote a bound value", e.Code, Classify(e.Err))
}

// Unwrap returns the server's error.
func (e *WithheldError) Unwrap() error { return e.Err }

// withhold keeps back the text of a server's error if any word of it is found in one of the bound
// values.
func withhold(err error, args []any) error {
	if err == nil || len(args) == 0 {
		return err
	}
	var said gocql.RequestError
	if !errors.As(err, &said) {
		return err
	}
	words := strings.FieldsFunc(strings.ToLower(said.Message()), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, arg := range args {
		if slices.ContainsFunc(words, looksOf(arg).has) {
			return &WithheldError{Code: said.Code(), Says: reworded(said.Message()), Err: err}
		}
	}
	return err
}

// tooLate is what a server says of a time to live that ends after the latest date that
// it stores.
var tooLate = regexp.MustCompile(`with ttl of \d+ seconds exceeds maximum supported expiration date of (\d{4}-\d\d-\d\d)T`)

// reworded says what a server says, where that is known, without the bound values in it.
func reworded(message string) string {
	if date := tooLate.FindStringSubmatch(message); date != nil {
		return "with that time to live it would expire after " + date[1] + ", which is the latest date that the server stores; " +
			"give a shorter one, or change the server's storage_compatibility_mode (NONE: up to 2106) or expiration_date_overflow_policy"
	}
	return ""
}

// ExpiresTooLate reports whether the server has refused a time to live for that.
func ExpiresTooLate(err error) bool {
	var said gocql.RequestError
	return errors.As(err, &said) && tooLate.MatchString(said.Message())
}

// looks are the ways in which a value may be written.
type looks struct {
	texts   []string // a word of three letters or more that is found in one of these
	numbers []string // a word that is one of these
}

func (l looks) has(word string) bool {
	if slices.Contains(l.numbers, word) {
		return true
	}
	return len(word) >= 3 && slices.ContainsFunc(l.texts, func(text string) bool { return strings.Contains(text, word) })
}

func looksOf(arg any) (l looks) {
	if p, ok := arg.(*plain); ok {
		arg = p.value
	}
	if v, ok := arg.(*Value); ok && v != nil {
		return looksOfBytes(v.Bytes)
	}
	v := reflect.ValueOf(arg)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() {
		return l
	}
	if b, ok := v.Interface().([]byte); ok {
		return looksOfBytes(b)
	}
	text := strings.ToLower(fmt.Sprint(v.Interface()))
	return looks{texts: []string{text}, numbers: []string{text}}
}

func looksOfBytes(b []byte) (l looks) {
	l.texts = []string{string(bytes.ToLower(b)), "0x" + hex.EncodeToString(b)}
	integer := func(n int64) { l.numbers = append(l.numbers, strconv.FormatInt(max(n, -n), 10)) }
	switch len(b) {
	case 1:
		integer(int64(int8(b[0])))
	case 2:
		integer(int64(int16(binary.BigEndian.Uint16(b))))
	case 4:
		n := binary.BigEndian.Uint32(b)
		integer(int64(int32(n)))
		l.texts = append(l.texts, fmt.Sprint(math.Float32frombits(n)))
	case 8:
		n := binary.BigEndian.Uint64(b)
		integer(int64(n))
		l.texts = append(l.texts, fmt.Sprint(math.Float64frombits(n)))
	}
	return l
}
