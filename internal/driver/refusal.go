package driver

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of errors that this package has in common with the root package, which
// exports them under the same names.
var (
	ErrConfig = errors.New("rxcql: bad configuration")
	ErrSchema = errors.New("rxcql: schema mismatch")
	ErrPanic  = errors.New("rxcql: panic in a user function")
)

// ProtocolError says that the session speaks a version of the protocol that has
// no unset values: gocql sends null in their place, which deletes. It is an
// ErrConfig.
type ProtocolError struct{ Version int }

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("the session speaks version %d of the protocol, which cannot leave a column as it is (unset): "+
		"gocql would send null, which deletes; call rxcql.Configure before CreateSession, or set ProtoVersion = %d", e.Version, protocol)
}

// Is makes errors.Is(err, ErrConfig) hold.
func (e *ProtocolError) Is(target error) bool { return target == ErrConfig }

// DatacenterError says that no node is in the datacenter that was given to
// Configure. It is an ErrConfig.
type DatacenterError struct {
	Name string   // as it was given
	Have []string // those that nodes are in, sorted
}

func (e *DatacenterError) Error() string {
	return fmt.Sprintf("no node is in the datacenter %q that was given to rxcql.Configure; there is %s (upper and lower case count)",
		e.Name, quotedList(e.Have))
}

// Is makes errors.Is(err, ErrConfig) hold.
func (e *DatacenterError) Is(target error) bool { return target == ErrConfig }

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(quoted, ", ")
}

// SchemaChangedError says that a request was not sent, or that what was written
// is not where it was written to, because a table is not what it was when its
// values were encoded. It is an ErrSchema.
type SchemaChangedError struct{ What string }

func (e *SchemaChangedError) Error() string { return e.What }

// Is makes errors.Is(err, ErrSchema) hold.
func (e *SchemaChangedError) Is(target error) bool { return target == ErrSchema }

// NotSentError says that the request was not sent at all. Err is the reason.
type NotSentError struct{ Err error }

func (e *NotSentError) Error() string { return "nothing was sent: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *NotSentError) Unwrap() error { return e.Err }

// NotSent reports whether err is known to have come before anything was sent.
func NotSent(err error) bool {
	var unsent *NotSentError
	return errors.As(err, &unsent)
}
