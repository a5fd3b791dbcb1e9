// Package backoff repeats what has failed, after waits that grow. It wraps failsafe-go's
// retrypolicy.
package backoff

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// jitter is how much longer or shorter a wait is, so that calls that failed together are not
// repeated together.
const jitter = 0.25

// ErrLimit: the policy allows no more attempts.
var ErrLimit = errors.New("no more attempts are allowed")

// Policy says how often something is repeated, and after which waits. These double from First up to
// Longest, and each is varied by up to a quarter.
type Policy struct {
	First, Longest time.Duration
	Total          time.Duration // from the first failure on; 0 for no limit
	Attempts       int           // in all, the one that failed first included; 0 for no limit
}

// Retry repeats what has failed with first, as long as may allows the error, and returns how the
// last attempt ended. why is nil if that succeeded or may not be repeated; else it is the cause of
// ctx, or ErrLimit. attempts counts all, the first one included. The first failure is judged by the
// policy as if that attempt had been made here.
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
	// Its result is of no use: after a cancel it is the context's error even if the attempt that
	// was under way has succeeded.
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
