package jsonline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// unwritten says why a value was not written, without it.
func unwritten(err error) error {
	var syntax *jsontext.SyntacticError
	var fault *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("%w: two keys of a map have one text", ErrTwice)
	case errors.As(err, &fault) && fault.GoType != nil && hasMethods(fault.GoType):
		return &hidden{"the Go type " + fault.GoType.String() + " cannot be written as JSON", inner(fault)}
	case errors.As(err, &syntax) && notUTF8(syntax):
		return ErrNotUTF8
	case fault != nil && fault.GoType != nil && fault.GoType.Kind() == reflect.Struct && fault.Err != nil:
		return fmt.Errorf("the Go type %s cannot be written as JSON: %w", fault.GoType, fault.Err) // names fields alone
	case fault != nil && fault.GoType != nil:
		return &hidden{"the Go type " + fault.GoType.String() + " cannot be written as JSON", inner(fault)}
	}
	return &hidden{"it cannot be written as JSON", err}
}

func notUTF8(err *jsontext.SyntacticError) bool {
	return err.Err != nil && strings.Contains(err.Err.Error(), "UTF-8")
}

// unread says what is wrong with a text without showing it.
func unread(err error, text []byte, into any) error {
	var fault *json.SemanticError
	var syntax *jsontext.SyntacticError
	if errors.As(err, &fault) {
		value := jsontext.Value(bytes.Clone(text))
		if err = value.Format(); err == nil { // perhaps it was left before its end
			return unfit(fault, into)
		}
	}
	switch {
	case !errors.As(err, &syntax):
		return &hidden{"it cannot be read from JSON", err}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("%w, from byte %d on", ErrTwice, syntax.ByteOffset+1)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	case notUTF8(syntax):
		return fmt.Errorf("%w: it is not UTF-8", ErrSyntax)
	case syntax.JSONPointer == "" && jsontext.Value(text[:syntax.ByteOffset]).IsValid(jsontext.AllowDuplicateNames(true)):
		value := bytes.TrimRight(text[:syntax.ByteOffset], " \t\r\n")
		return fmt.Errorf("%w: something follows the value, from byte %d on", ErrSyntax, len(value)+1)
	}
	return fmt.Errorf("%w: from byte %d on", ErrSyntax, syntax.ByteOffset+1)
}

var kindNames = map[jsontext.Kind]string{
	jsontext.KindNull: "null", jsontext.KindFalse: "bool", jsontext.KindTrue: "bool", jsontext.KindString: "string",
	jsontext.KindNumber: "number", jsontext.KindBeginObject: "object", jsontext.KindBeginArray: "array",
}

func unfit(fault *json.SemanticError, into any) error {
	where := ""
	if path := fieldPath(reflect.TypeOf(into).Elem(), fault.JSONPointer); path != "" {
		where = fmt.Sprintf("field %s: ", path)
	}
	rt := fault.GoType
	switch {
	case errors.Is(fault, json.ErrUnknownName):
		return fmt.Errorf("%w: unknown field %q", ErrUnfit, fault.JSONPointer.LastToken())
	case errors.Is(fault, ErrUnfit): // of this package's own functions
		return fmt.Errorf("%s%w", where, inner(fault))
	case rt == nil:
		return &hidden{where + "it cannot be read from JSON", inner(fault)}
	case hasMethods(rt):
		return &hidden{where + "it cannot be read from JSON", inner(fault)}
	case rt.Kind() == reflect.Struct && fault.Err != nil: // names fields alone
		return fmt.Errorf("%w: %sthe Go type %s cannot be read from JSON: %w", ErrUnfit, where, rt, fault.Err)
	}
	return fmt.Errorf("%w: %sa JSON %s for the Go type %s (or out of its range)", ErrUnfit, where, kindNames[fault.JSONKind], rt)
}

// inner is the error at the bottom of what the library says of it.
func inner(fault *json.SemanticError) error {
	for {
		deeper, ok := fault.Err.(*json.SemanticError) //nolint:errorlint // the chain is walked here
		if !ok || deeper == nil {
			break
		}
		fault = deeper
	}
	if fault.Err == nil {
		return fault
	}
	return fault.Err
}

// fieldPath names the fields on the way to a value. It ends where a map begins,
// whose keys are values.
func fieldPath(rt reflect.Type, to jsontext.Pointer) string {
	var path []string
	for name := range to.Tokens() {
		for rt.Kind() == reflect.Pointer {
			rt = rt.Elem()
		}
		switch rt.Kind() {
		case reflect.Slice, reflect.Array:
			rt = rt.Elem()
			continue
		case reflect.Struct:
		default:
			return strings.Join(path, ".")
		}
		next := fieldNamed(rt, name)
		if next == nil {
			break
		}
		path, rt = append(path, name), next
	}
	return strings.Join(path, ".")
}

func fieldNamed(rt reflect.Type, name string) reflect.Type {
	var alike reflect.Type
	for _, f := range reflect.VisibleFields(rt) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == name, tag == "" && f.Name == name:
			return f.Type
		case strings.EqualFold(tag, name), tag == "" && strings.EqualFold(f.Name, name):
			alike = f.Type
		}
	}
	return alike
}

// hidden keeps back the text of an error that may hold a value; errors.Is and
// errors.As reach it.
type hidden struct {
	what string
	err  error
}

func (e *hidden) Error() string {
	return fmt.Sprintf("%s (%T; unwrap it to see its text, which may hold the value)", e.what, e.err)
}

func (e *hidden) Unwrap() error { return e.err }
