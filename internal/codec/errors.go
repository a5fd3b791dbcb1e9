package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

var (
	// ErrMismatch is the kind of every *MismatchError: the Go type and the columns do not fit
	// together.
	ErrMismatch = errors.New("codec: Go type and columns do not fit")
	// ErrCorrupt says that the bytes of a column are not a value of its CQL type.
	ErrCorrupt = errors.New("bytes are not a value of the type")
	// ErrRange says that a value is beyond what the type on the other side holds. Nothing is ever
	// cut off.
	ErrRange = errors.New("value out of range")
	// ErrValue says that a Go value cannot be written as the CQL type, such as a string that is not
	// a UUID.
	ErrValue = errors.New("value in Go is not one of the type")
	// ErrType says that a CQL type's spelling or the driver's description of it could not be read.
	ErrType = errors.New("codec: cannot read CQL type")
)

// MismatchError says where a Go type and the columns of a statement do not fit, and the remedy.
// errors.Is(err, ErrMismatch) holds.
type MismatchError struct {
	Column  string // "" when a field has no column
	CQLType string // "" when a field has no column
	Field   string // path of the Go field, "" when T itself is the column or no field takes the column
	GoType  string
	Reason  string
	Remedy  string
}

// Error names column, CQL type, field and Go type as far as they are known, then the reason and the
// remedy.
func (e *MismatchError) Error() string {
	var b strings.Builder
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q", e.Column)
		if e.CQLType != "" {
			fmt.Fprintf(&b, " (%s)", e.CQLType)
		}
		b.WriteString(" and ")
	}
	if e.Field != "" {
		fmt.Fprintf(&b, "field %s ", e.Field)
	}
	fmt.Fprintf(&b, "(%s): %s", e.GoType, e.Reason)
	if e.Remedy != "" {
		fmt.Fprintf(&b, "; %s", e.Remedy)
	}
	return b.String()
}

// Unwrap gives ErrMismatch.
func (e *MismatchError) Unwrap() error { return ErrMismatch }

// CellError says which column of a row could not be decoded or encoded. Its message never holds the
// value. Unwrap returns the cause: ErrCorrupt, ErrRange, ErrValue or what a user's Marshaler or
// Unmarshaler returned.
type CellError struct {
	Op      string // "decode" or "encode"
	Column  string
	CQLType string
	Field   string // "" when T itself is the column
	GoType  string
	Err     error
}

// Error names the column, its type and the cause.
func (e *CellError) Error() string {
	return fmt.Sprintf("%s column %q (%s, Go %s): %v", e.Op, e.Column, e.CQLType, e.GoType, e.Err)
}

// Unwrap gives the cause.
func (e *CellError) Unwrap() error { return e.Err }

// foreignError hides the text of an error that user code returned, since gocql's own marshal errors
// and many that wrap them print the value; errors.Is and errors.As still reach it.
type foreignError struct {
	method string
	err    error
}

func (e *foreignError) Error() string {
	return e.method + " returned an error (unwrap it to see its text, which may hold the value)"
}

func (e *foreignError) Unwrap() error { return e.err }

func corruptLen(want, got int) error {
	return fmt.Errorf("%w: %d bytes where %d are needed", ErrCorrupt, got, want)
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

func badValue(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrValue, fmt.Sprintf(format, args...))
}

// noFit is what plan compilation returns for a CQL type and a Go type that do not fit, at any
// depth.
type noFit struct {
	t              *Type
	rt             reflect.Type
	reason, remedy string
}

func (e *noFit) Error() string {
	s := e.reason
	if s == "" {
		s = fmt.Sprintf("%s does not fit into %s", A(e.t), e.rt)
	}
	if e.remedy == "" {
		return s
	}
	return s + ", " + e.remedy
}

// unfit refuses a Go type for a CQL type and lists those that would do.
func unfit(t *Type, rt reflect.Type) error {
	return &noFit{t: t, rt: rt, remedy: "use " + kinds[t.Kind].goes}
}
