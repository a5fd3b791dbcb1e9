package rxcql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/internal/backoff"
	"github.com/rxcql/rxcql/internal/driver"
)

// DefaultRetryTime is for how long a request that failed is tried again.
const DefaultRetryTime = time.Minute

// The wait before a request is sent again; see backoff.Policy.
const (
	firstRetryDelay   = 50 * time.Millisecond
	longestRetryDelay = 5 * time.Second
)

// retryPolicy says for how long and how often a request is tried.
type retryPolicy struct {
	total    time.Duration
	attempts int // 0: as many as the time allows
}

// WithRetry sets for how long a request that failed is tried again, counted
// from its first failure, and how often it is sent at most, the first time
// included. Default: 1 minute (DefaultRetryTime), and 0 attempts, which is as
// many as the time allows. A total of 0 never sends anything again.
//
// Between two attempts there is a wait: 50 ms, then twice as long each time, up
// to 5 s, give or take a quarter. An attempt that has begun is not cut off by
// the total; the session's own timeout does that.
//
// What is repeated at all is up to the stages: pages of a source, and writes
// that may be repeated without harm, where the failure may pass. See
// source.Table, sink.Table and sink.Exec.
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

// RetryError says that a request was sent until the limit of WithRetry was
// reached: how often, for how long since the first failure, and what it failed
// with last.
type RetryError struct {
	Attempts int           // in all, the first one included
	Duration time.Duration // from the first failure on
	Err      error         // of the last one
}

func (e *RetryError) Error() string {
	return fmt.Sprintf("given up after %d attempts in %v (WithRetry): %v", e.Attempts, e.Duration.Round(time.Millisecond), e.Err)
}

// Unwrap returns the last failure.
func (e *RetryError) Unwrap() error { return e.Err }

// MayPass reports whether the same request may well succeed a little later: no node
// was there, a connection was lost, a node had too much to do or was starting, an answer
// did not come in time (gocql's Timeout), too few replicas were alive or answered, a
// replica or the server failed. It knows errors of gocql and of network connections, as
// they are and wrapped (%w, StageError, RowError, RetryError, ...).
//
// Not what will fail again (a statement or value that the server refuses, missing
// permissions, a row too large, too many tombstones), a context that has ended (Canceled
// or DeadlineExceeded, also one of your own), a session that was closed, a panic, any
// other error, and nil.
//
// It does not tell whether repeating does harm: a write that failed so may have been
// applied, so repeat only what may be done twice. A read always may.
func MayPass(err error) bool { return !errors.Is(err, ErrPanic) && driver.MayPass(err) }

func (r retryPolicy) allows(err error, may func(error) bool) bool {
	return err != nil && r.total > 0 && r.attempts != 1 && may(err)
}

// retry waits and does it again, and counts each time: which attempt it is, how long the
// wait was, and the failure before.
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
