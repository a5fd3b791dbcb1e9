// Package backoff does something again that has failed, after waits that grow. It is the
// seam to failsafe-go's retrypolicy.
package backoff

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// jitter is how much longer or shorter a wait is, so that what failed together does not
// come back together.
const jitter = 0.25

// ErrLimit: the policy allows no more attempts.
var ErrLimit = errors.New("no more attempts are allowed")

// Policy says how often something is done again, and after which waits: they double from
// the first to the longest, and each is up to a quarter longer or shorter.
type Policy struct {
	First, Longest time.Duration
	Total          time.Duration // from the first failure on; 0 for any time
	Attempts       int           // in all, the one before included; 0 for any number
}

// Retry does again what has failed with first, as long as may allows it, and returns how
// the last attempt ended. why is nil if that one succeeded or may not be repeated; else it
// is the cause of ctx, or ErrLimit. attempts are those in all, the first one included. The
// policy is asked about the first failure as if it had made that attempt.
func (p Policy) Retry(ctx context.Context, first error, may func(error) bool, again func(attempt int) error) (last error, attempts int, why error) {
	start := time.Now()
	b := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool {
			return err != nil && may(err) && (p.Total == 0 || time.Since(start) < p.Total)
		}).
		WithBackoff(p.First, p.Longest).
		WithJitterFactor(jitter).
		WithMaxAttempts(-1).
		ReturnLastFailure()
	if p.Attempts > 0 {
		b = b.WithMaxAttempts(p.Attempts)
	}
	if p.Total > 0 {
		b = b.WithMaxDuration(p.Total)
	}
	last = first
	// What it returns is of no use: after a cancel it is the context's error even
	// if the attempt that was under way has succeeded.
	_ = failsafe.With(b.Build()).WithContext(ctx).Run(func() error {
		if attempts > 0 {
			last = again(attempts)
		}
		attempts++
		return last
	})
	switch {
	case last == nil || !may(last):
		return last, attempts, nil
	case ctx.Err() != nil:
		return last, attempts, context.Cause(ctx)
	}
	return last, attempts, ErrLimit
}
