package rxcql

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// tokens are what may go now by one limit of a Rate. They are those of a token bucket
// (x/time/rate). Waiting is our own: a wait in x/time/rate goes by the limit that held when it
// began, and cannot be told that the limit was changed. Here one waits at a time, at the head of a
// queue, and looks again after each change.
type tokens struct {
	head   chan struct{} // has a token while somebody is at the head; the others wait in order
	bucket *rate.Limiter

	mu      sync.Mutex
	changed chan struct{} // closed when the limit is changed
}

// pieceTime is how much goes together at least, as time, where rows come faster than that: else
// there would be a timer for each row.
const pieceTime = 10 * time.Millisecond

// newTokens returns the tokens of a limit; nil for NaN, which is no limit.
func newTokens(limit float64, burst time.Duration) *tokens {
	if math.IsNaN(limit) {
		return nil
	}
	most := burstOf(limit, burst)
	t := &tokens{head: make(chan struct{}, 1), bucket: rate.NewLimiter(rate.Limit(limit), most), changed: make(chan struct{})}
	t.bucket.AllowN(time.Now(), most-1) // no burst at the beginning
	return t
}

// burstOf returns the most tokens that wait. Two at least: with one, the time by which a wait ends
// late would be lost each time, and the rate would never come up to its limit.
func burstOf(limit float64, burst time.Duration) int {
	return int(min(max(2, limit*burst.Seconds()), math.MaxInt32))
}

func (t *tokens) set(name string, limit float64, burst time.Duration) error {
	if t == nil {
		return fmt.Errorf("%w: Set%s: NewRate was given no %s; give it %s(rxcql.Unlimited)", ErrConfig, name, name, name)
	}
	if !(limit >= 0) {
		return fmt.Errorf("%w: Set%s(%v): must not be negative", ErrConfig, name, limit)
	}
	limit = min(limit, Unlimited)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.bucket.SetLimitAt(now, rate.Limit(limit))
	t.bucket.SetBurstAt(now, burstOf(limit, burst))
	close(t.changed)
	t.changed = make(chan struct{})
	return nil
}

// now returns the limit, how many tokens there are, and what is closed when the limit is changed.
func (t *tokens) now(at time.Time) (limit rate.Limit, there float64, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bucket.Limit(), t.bucket.TokensAt(at), t.changed
}

// take waits until some of the wanted tokens are there, takes these, and returns how many. Without
// a limit, and when stopping is closed, all are there.
func (t *tokens) take(ctx context.Context, stopping <-chan struct{}, wanted int64) (int64, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if t == nil {
		return wanted, nil
	}
	select {
	case t.head <- struct{}{}:
		defer func() { <-t.head }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-stopping:
		return wanted, nil
	}
	var timer *time.Timer
	for {
		at := time.Now()
		limit, there, changed := t.now(at)
		if limit == rate.Inf {
			return wanted, nil
		}
		least := float64(min(wanted, pieceOf(limit, t.bucket.Burst())))
		if n := min(float64(wanted), math.Floor(there)); limit > 0 && n >= least && t.bucket.AllowN(at, int(n)) {
			return int64(n), nil
		}
		var due <-chan time.Time // never, with a limit of 0
		if limit > 0 {
			d := wait(least-there, limit)
			if timer == nil {
				timer = time.NewTimer(d)
				defer timer.Stop()
			} else {
				timer.Reset(d)
			}
			due = timer.C
		}
		select {
		case <-due:
		case <-changed:
		case <-stopping:
			return wanted, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// pieceOf returns how many tokens a wait is for: those of pieceTime, one at least.
func pieceOf(limit rate.Limit, burst int) int64 {
	return int64(max(1, min(float64(limit)*pieceTime.Seconds(), float64(burst))))
}

// wait returns how long it takes until so many tokens have come.
func wait(missing float64, limit rate.Limit) time.Duration {
	ns := math.Ceil(missing / float64(limit) * float64(time.Second))
	return time.Duration(max(1, min(ns, float64(math.MaxInt64/2))))
}
