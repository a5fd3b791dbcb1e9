package driver

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/gocql/gocql"
)

// Class says what kind of failure an error is, as far as it decides what to do
// next. The zero Class is that of no error.
type Class uint8

const (
	None              Class = iota
	Other                   // anything not listed here
	Cancelled               // the caller's context ended
	SessionClosed           // the session was closed, before or during the request
	NoHosts                 // no node with a usable connection: nothing was sent
	ConnectionLost          // the connection broke while the request was out
	ClientTimeout           // no answer within gocql's ClusterConfig.Timeout
	Overloaded              // the node, or the driver's streams, have too much to do
	Bootstrapping           // the node is still starting: nothing was done
	Unavailable             // too few replicas alive: nothing was done
	ReadTimeout             // too few replicas answered a read in time
	ReadFailure             // a replica failed at a read
	TooManyTombstones       // a read met more tombstones than the server allows
	WriteTimeout            // too few replicas confirmed in time; see WriteType
	WriteFailure            // a replica failed at a write; see WriteType
	Unprepared              // the server keeps forgetting the statement
	FrameTooBig             // a request or an answer larger than the driver takes
	TooLarge                // a batch, mutation or request larger than the server takes
	Syntax                  // the statement does not parse
	Invalid                 // the statement or a value is wrong for this schema
	Unauthorized            // the role may not do this
	AuthFailed              // the credentials were refused
	Server                  // an unexpected error inside the server
	SchemaChanged           // a table is not what it was when the values were encoded: nothing was sent
	Misconfigured           // the session cannot be used so: nothing was sent
)

var classNames = [...]string{
	"none", "other", "cancelled", "session closed", "no hosts", "connection lost", "client timeout", "overloaded",
	"bootstrapping", "unavailable", "read timeout", "read failure", "too many tombstones", "write timeout",
	"write failure", "unprepared", "frame too big", "too large", "syntax", "invalid", "unauthorized",
	"authentication failed", "server error", "schema changed", "misconfigured",
}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "other"
}

// Transient reports whether the same request may well succeed a little later.
func (c Class) Transient() bool {
	switch c {
	case NoHosts, ConnectionLost, ClientTimeout, Overloaded, Bootstrapping, Unavailable,
		ReadTimeout, ReadFailure, WriteTimeout, WriteFailure, Unprepared, Server:
		return true
	}
	return false
}

// MayPass reports whether a failure is one after which a request is worth another try. The caller
// must know whether that does harm; a read can always be repeated.
func MayPass(err error) bool { return Classify(err).Transient() }

// MayBeOfDroppedTable reports whether an error, of a request that will not be repeated, may be what
// a server says of a table that was dropped meanwhile. That depends on the moment: the statement is
// invalid, or an exception passes through ("Unknown CF", Cassandra 5.0.6).
func MayBeOfDroppedTable(err error) bool {
	class := Classify(err)
	return class != None && class != Cancelled && class != SchemaChanged && (class == Server || !class.Transient())
}

// Ambiguous reports whether a write that failed so may have been applied, now
// or later, in part or as a whole. Such a write must not be repeated unless
// repeating does no harm. Only what is known to stop a write before any
// replica sees it is left out.
func (c Class) Ambiguous() bool {
	switch c {
	case Cancelled, SessionClosed, ConnectionLost, ClientTimeout, WriteTimeout, WriteFailure,
		Overloaded, Server, Other, ReadTimeout, ReadFailure:
		return true
	}
	return false
}

// Classify finds the class of an error from this package or from gocql,
// wrapped or not.
func Classify(err error) Class {
	var (
		request   gocql.RequestError
		abandoned *CancelledError
		value     *BoundValueError
		count     *BoundCountError
		panicking *MarshalPanicError
		changed   *SchemaChangedError
		protocols *ProtocolError
		place     *DatacenterError
	)
	switch {
	case err == nil:
		return None
	case errors.As(err, &abandoned), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Cancelled
	case errors.As(err, &changed):
		return SchemaChanged
	case errors.As(err, &protocols), errors.As(err, &place):
		return Misconfigured
	case errors.As(err, &request):
		return ofCode(request)
	case errors.Is(err, ErrSessionClosed), errors.Is(err, gocql.ErrSessionClosed):
		return SessionClosed
	case errors.Is(err, gocql.ErrNoConnections), errors.Is(err, gocql.ErrNoHosts),
		errors.Is(err, gocql.ErrNoConnectionsStarted), errors.Is(err, gocql.ErrHostQueryFailed):
		return NoHosts
	case errors.Is(err, gocql.ErrNoStreams):
		return Overloaded
	case errors.Is(err, gocql.ErrUnavailable):
		return Unavailable
	case errors.Is(err, gocql.ErrTimeoutNoResponse):
		return ClientTimeout
	case errors.Is(err, gocql.ErrFrameTooBig):
		return FrameTooBig
	case errors.Is(err, gocql.ErrTooManyStmts), errors.Is(err, ErrBatchTooLong):
		return TooLarge
	case errors.Is(err, ErrUnpreparedLoop):
		return Unprepared
	case errors.As(err, &value), errors.As(err, &count), errors.As(err, &panicking), errors.Is(err, ErrNotPreparable),
		errors.Is(err, ErrTupleParam), errors.Is(err, ErrZeroTimestamp), errors.Is(err, ErrPageSize), errors.Is(err, ErrEmptyBatch),
		errors.Is(err, gocql.ErrUseStmt):
		return Invalid
	case lost(err):
		return ConnectionLost
	}
	return ofText(err)
}

func ofCode(err gocql.RequestError) Class {
	switch err.Code() {
	case gocql.ErrCodeUnavailable:
		return Unavailable
	case gocql.ErrCodeOverloaded:
		return Overloaded
	case gocql.ErrCodeBootstrapping:
		return Bootstrapping
	case gocql.ErrCodeReadTimeout:
		return ReadTimeout
	case gocql.ErrCodeReadFailure:
		if tombstones(err) {
			return TooManyTombstones
		}
		return ReadFailure
	case gocql.ErrCodeWriteTimeout, gocql.ErrCodeCASWriteUnknown:
		return WriteTimeout
	case gocql.ErrCodeWriteFailure, gocql.ErrCodeCDCWriteFailure:
		return WriteFailure
	case gocql.ErrCodeUnprepared:
		return Unprepared
	case gocql.ErrCodeSyntax:
		return Syntax
	case gocql.ErrCodeUnauthorized:
		return Unauthorized
	case gocql.ErrCodeCredentials:
		return AuthFailed
	case gocql.ErrCodeInvalid:
		if tooLarge(err.Message()) {
			return TooLarge
		}
		return Invalid
	case gocql.ErrCodeConfig, gocql.ErrCodeAlreadyExists, gocql.ErrCodeFunctionFailure:
		return Invalid
	case gocql.ErrCodeServer, gocql.ErrCodeProtocol, gocql.ErrCodeTruncate:
		if tooLarge(err.Message()) {
			return TooLarge
		}
		return Server
	}
	return Other
}

// tombstones reads the failure's reason: protocol 5 has it as a number, earlier
// ones only in the message.
func tombstones(err gocql.RequestError) bool {
	const readTooManyTombstones = 1
	var failure *gocql.RequestErrReadFailure
	if errors.As(err, &failure) {
		for _, reason := range failure.ErrorMap {
			if reason == readTooManyTombstones {
				return true
			}
		}
	}
	return strings.Contains(err.Message(), "READ_TOO_MANY_TOMBSTONES")
}

func tooLarge(message string) bool {
	for _, said := range []string{"Batch too large", "too large for the maximum size", "exceeds maximum allowed length"} {
		if strings.Contains(message, said) {
			return true
		}
	}
	return false
}

func lost(err error) bool {
	var network net.Error
	if errors.As(err, &network) {
		number, bare := network.(syscall.Errno) // not errors.As: every one is a net.Error, that of a file too
		return !bare || connection[number]
	}
	return errors.Is(err, gocql.ErrConnectionClosed) || errors.Is(err, gocql.ErrTooManyTimeouts) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.ErrClosedPipe) // of a net.Pipe, as a HostDialer may give
}

// connection are the errors of the operating system that only connections meet.
var connection = map[syscall.Errno]bool{
	syscall.ECONNRESET: true, syscall.ECONNREFUSED: true, syscall.ECONNABORTED: true, syscall.EPIPE: true,
	syscall.ENETUNREACH: true, syscall.EHOSTUNREACH: true, syscall.ETIMEDOUT: true,
}

// ofText knows the errors of gocql that have nothing but a text: those of
// CreateSession, of a connection that broke inside a frame, and of a batch
// with the wrong number of values. What wraps them is not looked at: names of files,
// keys of JSON and words of users are in it, and may read alike.
func ofText(err error) Class {
	switch e := err.(type) { //nolint:errorlint // each error of the tree by itself
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return ofText(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if class := ofText(inner); class != Other {
				return class
			}
		}
		return Other
	}
	return ofWholeText(err.Error())
}

func ofWholeText(text string) Class {
	switch {
	case strings.HasPrefix(text, "gocql: unable to create session: ") &&
		(strings.Contains(text, "Provided username") || strings.Contains(text, "uthentication")):
		return AuthFailed
	case strings.HasPrefix(text, "gocql: ") && strings.Contains(text, " values send got "):
		return Invalid
	case strings.HasPrefix(text, "unable to read frame body: "), text == "gocql: heartbeat failed":
		return ConnectionLost
	}
	return Other
}

// WriteType is the server's word for a write that timed out or failed: SIMPLE,
// BATCH, UNLOGGED_BATCH, BATCH_LOG, COUNTER, CAS, VIEW or CDC. It is empty for
// other errors.
func WriteType(err error) string {
	var (
		timeout *gocql.RequestErrWriteTimeout
		failure *gocql.RequestErrWriteFailure
		cas     *gocql.RequestErrCASWriteUnknown
	)
	switch {
	case errors.As(err, &timeout):
		return timeout.WriteType
	case errors.As(err, &failure):
		return failure.WriteType
	case errors.As(err, &cas):
		return "CAS"
	}
	return ""
}
