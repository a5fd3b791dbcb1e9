// Package driver is the only place where the toolkit talks to Cassandra. It
// sends one request at a time for its callers and tells them everything that
// came of it: pages with their state and raw column bytes, the server's
// metadata, and errors by class. It repeats nothing: retries belong to the
// callers, who know what may be repeated.
package driver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/gocql/gocql"
)

var (
	// ErrNoSession says that a nil session was handed over.
	ErrNoSession = errors.New("no Cassandra session: the *gocql.Session is nil (did CreateSession fail?)")

	// ErrSessionClosed says that the session had been closed before the request.
	ErrSessionClosed = errors.New("the Cassandra session is closed")
)

// Session is a gocql session as this package sees it. It is safe for concurrent use, and does not
// own the gocql session, which its maker must close.
type Session struct {
	gocql    *gocql.Session
	metadata metadataCache
	version  atomic.Int32 // of the protocol; 0 until an answer has shown it
	inPlace  atomic.Bool  // see placed
	observed bool         // has an observer of queries
}

// Wrap checks that s can be used and wraps it, without I/O. One Session should
// serve all users of s, since it holds the cache of converted metadata.
func Wrap(s *gocql.Session) (*Session, error) {
	switch {
	case s == nil:
		return nil, ErrNoSession
	case s.Closed():
		return nil, ErrSessionClosed
	}
	return &Session{gocql: s, observed: observed(s)}, nil
}

// Unwrap gives back the gocql session.
func (s *Session) Unwrap() *gocql.Session { return s.gocql }

// Consistency names the level that a request has with this setting; nil is the session's.
func (s *Session) Consistency(setting *gocql.Consistency) string {
	if setting != nil {
		return setting.String()
	}
	q := s.gocql.Query("")
	defer q.Release()
	return q.GetConsistency().String()
}

// guard runs one call into the driver. Its error is one that callers can read:
// the cause of a cancelled ctx, ErrSessionClosed, and an error in place of a
// panic, which gocql raises for some malformed frames and for too few values. That
// one is a NotSentError if sending says that nothing has been sent; nil is unknown.
// (A malformed answer to a *prepare* is parsed in a goroutine of gocql's own,
// out of reach from here.)
func guard(ctx context.Context, sending func() bool, call func() error) (err error) {
	if ctx.Err() != nil {
		return cancelled(ctx, ctx.Err())
	}
	defer recovered(sending, &err)
	return translate(ctx, call())
}

func recovered(sending func() bool, err *error) {
	if r := recover(); r != nil {
		*err = panickedIn(r, sending)
	}
}

func panickedIn(r any, sending func() bool) error {
	err := panicked(r)
	if sending != nil && !sending() {
		return &NotSentError{err}
	}
	return err
}

// ErrDriverPanic is wrapped by the error that stands for a panic inside gocql.
var ErrDriverPanic = errors.New("the driver panicked")

// panicked describes a recovered value. Only the runtime's own errors are
// quoted: anything else might carry a bound value.
func panicked(r any) error {
	if e, ok := r.(runtime.Error); ok {
		return fmt.Errorf("%w on a malformed answer or too few bound values: %s", ErrDriverPanic, e.Error())
	}
	return fmt.Errorf("%w with a %T", ErrDriverPanic, r)
}

func translate(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case NotSent(err):
		return err
	case errors.Is(err, gocql.ErrSessionClosed):
		return ErrSessionClosed
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return cancelled(ctx, err)
	case errors.Is(err, context.Canceled): // not the caller's: each of gocql's connections has one of its own
		return errConnectionClosed
	}
	return err
}

// errConnectionClosed hides the context of the connection, which would look
// like a cancel by the caller.
var errConnectionClosed = fmt.Errorf("the connection was closed under the request: %w", gocql.ErrConnectionClosed)

// CancelledError says that a request ended because its context did. It wraps
// the context's cause, and is its plain error too (context.Canceled or
// context.DeadlineExceeded). What the server made of the request is unknown.
type CancelledError struct{ Cause, Err error }

func cancelled(ctx context.Context, err error) error {
	return &CancelledError{Cause: context.Cause(ctx), Err: err}
}

func (e *CancelledError) Error() string { return "request given up: " + e.Cause.Error() }

// Is makes errors.Is hold for what the plain error is.
func (e *CancelledError) Is(target error) bool { return errors.Is(e.Err, target) }

// Unwrap returns the context's cause.
func (e *CancelledError) Unwrap() error { return e.Cause }
