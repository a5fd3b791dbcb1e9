package driver

import (
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// State tells what a Value stands for.
type State uint8

const (
	Set   State = iota // the column becomes Bytes, which may be empty
	Null               // the column is deleted: a tombstone where there was a value or not
	Unset              // the column is left as it is
)

// Value is a bound value that is encoded already. Bytes go to the server as
// they are; only with Set do they count.
type Value struct {
	Bytes []byte
	State State
}

// MarshalCQL implements gocql.Marshaler for Set and Null; Unset cannot be said
// by it, and is turned into gocql.UnsetValue before it gets here.
func (v *Value) MarshalCQL(gocql.TypeInfo) ([]byte, error) {
	switch {
	case v.State == Null:
		return nil, nil
	case v.Bytes == nil:
		return []byte{}, nil
	}
	return v.Bytes, nil
}

// Bind appends values to args in the form in which Statement and Batch take
// them, with no allocation a value: args refer to the elements of values, which
// must therefore stay as they are until the request has returned.
func Bind(args []any, values []Value) []any {
	for i := range values {
		if values[i].State == Unset {
			args = append(args, gocql.UnsetValue)
		} else {
			args = append(args, &values[i])
		}
	}
	return args
}

// BoundValueError says that a bound value does not fit the type that the
// server wants there. It has the types only, never the value.
type BoundValueError struct {
	Index   int    // position among the bound values, from 0
	GoType  string // such as time.Duration
	CQLType string // such as int
	Err     error  // why, where that can be said
}

func (e *BoundValueError) Error() string {
	text := fmt.Sprintf("bound value %d: this %s cannot be encoded as %s", e.Index+1, e.GoType, e.CQLType)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives Err.
func (e *BoundValueError) Unwrap() error { return e.Err }

// BoundCountError says that a statement takes another number of bound values.
type BoundCountError struct{ Want, Got int }

func (e *BoundCountError) Error() string {
	values := "values"
	if e.Want == 1 {
		values = "value"
	}
	return fmt.Sprintf("the statement takes %d bound %s, not %d", e.Want, values, e.Got)
}

// MarshalPanicError says that the MarshalCQL of a bound value panicked, and so nothing
// was sent. It is an ErrPanic and has neither the value nor what was passed to panic.
type MarshalPanicError struct {
	Index  int // position among the bound values, from 0
	GoType string
	Stack  []byte // where it happened
}

func (e *MarshalPanicError) Error() string {
	return fmt.Sprintf("bound value %d: MarshalCQL of %s panicked", e.Index+1, e.GoType)
}

// Is makes errors.Is(err, ErrPanic) hold.
func (e *MarshalPanicError) Is(target error) bool { return target == ErrPanic }

// plain is an ordinary Go value on its way to the server. It is encoded as sink.Table
// encodes fields where gocql would send another value than it was given, else by
// gocql.Marshal, whose own errors show the value.
type plain struct {
	value any
	index int
}

// MarshalCQL makes an error of a panic in the user's own MarshalCQL.
func (p *plain) MarshalCQL(info gocql.TypeInfo) (data []byte, err error) {
	if p.value == nil {
		return nil, nil
	}
	defer func() {
		if recover() != nil {
			err = &MarshalPanicError{Index: p.index, GoType: fmt.Sprintf("%T", p.value), Stack: debug.Stack()}
		}
	}()
	data, known, why := p.asGiven(info)
	if !known {
		if data, err = gocql.Marshal(info, p.value); err == nil {
			why = checkTimes(info, data)
		}
	}
	if err == nil && why == nil {
		return data, nil
	}
	return nil, &BoundValueError{Index: p.index, GoType: fmt.Sprintf("%T", p.value), CQLType: fmt.Sprint(info), Err: why}
}

// asGiven encodes a value that gocql takes and may send as another one: it takes a date
// before 1970 with a time of day for the next day, cuts dates that are out of range, makes 4
// bytes of the text ::ffff:1.2.3.4, and numbers below 0 of unsigned ones that are too large;
// and it does not see that two keys of a map are one.
func (p *plain) asGiven(info gocql.TypeInfo) (data []byte, known bool, err error) {
	if _, own := p.value.(gocql.Marshaler); own {
		return nil, false, nil
	}
	switch info.Type() {
	case gocql.TypeDate, gocql.TypeInet, gocql.TypeDuration,
		gocql.TypeList, gocql.TypeSet, gocql.TypeMap, gocql.TypeTuple, gocql.TypeUDT, gocql.TypeCustom:
	case gocql.TypeTinyInt, gocql.TypeSmallInt, gocql.TypeInt, gocql.TypeBigInt, gocql.TypeCounter:
		if !unsigned(reflect.TypeOf(p.value)) {
			return nil, false, nil
		}
	default:
		return nil, false, nil
	}
	t, err := codec.FromDriver(info)
	if err != nil {
		return nil, false, nil //nolint:nilerr // gocql's to say
	}
	return codec.EncodeValue(t, p.value)
}

func unsigned(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64
}

// checkTimes refuses a time out of the day, which gocql and the server take.
func checkTimes(info gocql.TypeInfo, data []byte) error {
	switch info.Type() {
	case gocql.TypeTime, gocql.TypeList, gocql.TypeSet, gocql.TypeMap, gocql.TypeTuple, gocql.TypeUDT, gocql.TypeCustom:
		if t, err := codec.FromDriver(info); err == nil {
			return codec.CheckTimes(t, data)
		}
	}
	return nil
}

// guarded returns args with each Go value replaced by a plain. Args that are
// encoded already are returned as they are.
func guarded(args []any) []any {
	for i := range args {
		if !encoded(args[i]) {
			return guardFrom(args, i)
		}
	}
	return args
}

func guardFrom(args []any, first int) []any {
	wrapped := append(make([]any, 0, len(args)), args[:first]...)
	for i := first; i < len(args); i++ {
		if v, ok := args[i].(*Value); ok && v != nil && v.State == Unset {
			wrapped = append(wrapped, gocql.UnsetValue)
		} else if encoded(args[i]) {
			wrapped = append(wrapped, args[i])
		} else {
			wrapped = append(wrapped, &plain{value: args[i], index: i})
		}
	}
	return wrapped
}

func encoded(arg any) bool {
	if v, ok := arg.(*Value); ok {
		return v != nil && v.State != Unset
	}
	return arg == any(gocql.UnsetValue)
}
