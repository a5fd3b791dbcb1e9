package rxcql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/internal/backoff"
	"github.com/rxcql/rxcql/internal/driver"
)

// DefaultRetryTime is how long a failed request is tried again.
const DefaultRetryTime = time.Minute

// The waits before a request is sent again; see backoff.Policy.
const (
	firstRetryDelay   = 50 * time.Millisecond
	longestRetryDelay = 5 * time.Second
)

// retryPolicy says for how long and how often a request is tried.
type retryPolicy struct {
	total    time.Duration
	attempts int // 0: as many as the time allows
}

// WithRetry limits how a failed request is tried again: total is the time counted from the first
// failure, attempts the number of times it is sent, the first included. Default: 1 minute
// (DefaultRetryTime) and 0 attempts, which means as many as the time allows. With a total of 0
// nothing is sent again.
//
// Attempts are separated by waits: 50 ms, then twice as long each time, up to 5 s, each varied at
// random by up to a quarter. total does not cut off an attempt that has begun; the session's own
// timeout does that.
//
// Stages decide what is repeated: pages of a source, and writes that may be repeated without harm,
// if the failure may pass. See source.Table, sink.Table and sink.Exec.
func WithRetry(total time.Duration, attempts int) Option {
	return func(c *config) error {
		if total < 0 || attempts < 0 {
			return fmt.Errorf("WithRetry(%v, %d): neither may be negative; a time of 0 never retries, 0 attempts are as many as the time allows",
				total, attempts)
		}
		c.retry = retryPolicy{total, attempts}
		return nil
	}
}

// RetryError says that a request failed until the limit of WithRetry was reached, or a stream until
// that of operators.Retry: how often it was tried, how long since the first failure, and the last
// error.
type RetryError struct {
	Attempts int           // in all, the first included
	Duration time.Duration // since the first failure
	Err      error         // of the last attempt
	Limit    string        // the option that sets the limit; empty for WithRetry
}

func (e *RetryError) Error() string {
	return fmt.Sprintf("given up after %d attempts in %v (%s): %v",
		e.Attempts, e.Duration.Round(time.Millisecond), cmp.Or(e.Limit, "WithRetry"), e.Err)
}

// Unwrap returns the last failure.
func (e *RetryError) Unwrap() error { return e.Err }

// MayPass reports whether an error is one that may pass: the same request may well succeed a little
// later. These are:
//
//   - no node was there, or a connection was lost;
//   - a node was overloaded or starting;
//   - no answer came in time (gocql's Timeout);
//   - too few replicas were alive or answered;
//   - a replica or the server failed.
//
// It knows the errors of gocql and of network connections, also when wrapped (%w, StageError,
// RowError, RetryError, ...).
//
// It returns false for what will fail again (a statement or value that the server refuses, missing
// permissions, a row too large, too many tombstones), for a context that has ended (Canceled or
// DeadlineExceeded, also one of your own), a closed session, a panic, any other error, and nil.
//
// MayPass says nothing about harm: a write that failed in such a way may have been applied. So
// repeat a write only if it may be done twice; a read may always be repeated.
func MayPass(err error) bool { return !errors.Is(err, ErrPanic) && driver.MayPass(err) }

func (r retryPolicy) allows(err error, may func(error) bool) bool {
	return err != nil && r.total > 0 && r.attempts != 1 && may(err)
}

// retry waits and calls again, and so on. Each time it calls count with the number of the attempt,
// the wait, and the failure before.
func (r retryPolicy) retry(ctx context.Context, first error, may func(error) bool, again func(int) error,
	count func(attempt int, wait time.Duration, err error),
) error {
	start, last := time.Now(), first
	failed := start
	policy := backoff.Policy{First: firstRetryDelay, Longest: longestRetryDelay, Total: r.total, Attempts: r.attempts}
	last, attempts, why := policy.Retry(ctx, first, may, func(attempt int) error {
		count(attempt+1, time.Since(failed), last)
		last = again(attempt)
		failed = time.Now()
		return last
	})
	switch {
	case why == nil:
		return last
	case !errors.Is(why, backoff.ErrLimit):
		return why
	}
	return &RetryError{Attempts: attempts, Duration: time.Since(start), Err: last}
}
