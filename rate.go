package rxcql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rxcql/rxcql/internal/option"
)

// Unlimited as a limit lets everything through.
const Unlimited = math.MaxFloat64

// DefaultRateBurst is how much may go at once after a pause, as the time in which it may go.
const DefaultRateBurst = 100 * time.Millisecond

// maxRateBurst is the longest RateBurst.
const maxRateBurst = time.Minute

// Rate is a limit in rows, bytes or requests a second. It does nothing by itself: rows and bytes
// are held back by operators.Throttle, requests by source.Throttle, sink.Throttle and
// operators.LookupThrottle. Several stages may share one Rate, also those of several runs; together
// they then stay within it, and take turns.
//
// Limits may be changed at any time, from any goroutine. A change holds at once, also for what
// waits already. A limit of 0 holds everything back until the limit is changed again.
//
// What has not gone in a pause may go later, but not more than the limit allows in a tenth of a
// second (RateBurst), or two where that is less: so over any time t at most limit × (t + 0.1 s) go.
// A single row of more bytes than that waits until all of them have become due.
//
// A wait ends at once with a cancel. After Pipeline.Stop no page is asked for any more, and nothing
// else waits: rows that have been read are written, beyond the limit.
type Rate struct {
	err                   error
	burst                 time.Duration
	rows, bytes, requests *tokens
}

// RateOption is an option of NewRate: a limit, or RateBurst.
type RateOption func(*rateConfig) error

// rateConfig has the limits a second; NaN for none.
type rateConfig struct {
	rows, bytes, requests float64
	burst                 time.Duration
}

// RowsPerSecond limits rows. n is above 0, and may have a fraction: 0.5 is a row every two seconds.
// Give Unlimited for a limit that is set later.
func RowsPerSecond(n float64) RateOption {
	return func(c *rateConfig) error { return limitOf(&c.rows, "RowsPerSecond", n) }
}

// BytesPerSecond limits bytes, of rows as they are in memory (SizeFunc); see RowsPerSecond.
func BytesPerSecond(n float64) RateOption {
	return func(c *rateConfig) error { return limitOf(&c.bytes, "BytesPerSecond", n) }
}

// RequestsPerSecond limits requests, each attempt of a retry included; see RowsPerSecond.
func RequestsPerSecond(n float64) RateOption {
	return func(c *rateConfig) error { return limitOf(&c.requests, "RequestsPerSecond", n) }
}

func limitOf(to *float64, name string, n float64) error {
	if !(n > 0) {
		return fmt.Errorf("%s(%v): must be above 0", name, n)
	}
	*to = min(n, Unlimited)
	return nil
}

// RateBurst sets how much may go at once after a pause, as the time in which it may go. Default 100
// ms, above 0 and at most 1 minute.
func RateBurst(d time.Duration) RateOption {
	return func(c *rateConfig) error {
		if d <= 0 || d > maxRateBurst {
			return fmt.Errorf("RateBurst(%v): must be above 0 and at most %v", d, maxRateBurst)
		}
		c.burst = d
		return nil
	}
}

// NewRate makes a limit. Give at least one of RowsPerSecond, BytesPerSecond and RequestsPerSecond:
// only limits that were given here can be changed later. What is wrong with them is reported by
// New, for each stage that has the Rate.
func NewRate(opts ...RateOption) *Rate {
	cfg := rateConfig{rows: math.NaN(), bytes: math.NaN(), requests: math.NaN(), burst: DefaultRateBurst}
	r := &Rate{err: option.Apply(opts, &cfg, func(opt RateOption, c *rateConfig) error { return opt(c) }), burst: cfg.burst}
	r.rows, r.bytes, r.requests = newTokens(cfg.rows, cfg.burst), newTokens(cfg.bytes, cfg.burst), newTokens(cfg.requests, cfg.burst)
	if r.err == nil && r.rows == nil && r.bytes == nil && r.requests == nil {
		r.err = errors.New("NewRate: no limit: give RowsPerSecond, BytesPerSecond or RequestsPerSecond")
	}
	return r
}

// SetRowsPerSecond changes the limit of rows: 0 holds all of them back, Unlimited none. It is an
// error (ErrConfig) if n is negative, or if NewRate was given no RowsPerSecond.
func (r *Rate) SetRowsPerSecond(n float64) error { return r.rows.set("RowsPerSecond", n, r.burst) }

// SetBytesPerSecond changes the limit of bytes; see SetRowsPerSecond.
func (r *Rate) SetBytesPerSecond(n float64) error { return r.bytes.set("BytesPerSecond", n, r.burst) }

// SetRequestsPerSecond changes the limit of requests; see SetRowsPerSecond.
func (r *Rate) SetRequestsPerSecond(n float64) error {
	return r.requests.set("RequestsPerSecond", n, r.burst)
}

// LimitsRows returns what is wrong with the Rate for a stage that holds back rows or bytes; nil if
// nothing is.
func (r *Rate) LimitsRows() error {
	switch {
	case r == nil:
		return errNoRate
	case r.err == nil && r.rows == nil && r.bytes == nil:
		return errors.New("the Rate has no limit of rows or bytes: give NewRate RowsPerSecond or BytesPerSecond")
	}
	return r.err
}

// LimitsBytes reports whether the Rate was given a limit of bytes.
func (r *Rate) LimitsBytes() bool { return r.bytes != nil }

// LimitsRequests returns what is wrong with the Rate for a stage that holds back requests; nil if
// nothing is.
func (r *Rate) LimitsRequests() error {
	switch {
	case r == nil:
		return errNoRate
	case r.err == nil && r.requests == nil:
		return errors.New("the Rate has no limit of requests: give NewRate RequestsPerSecond")
	}
	return r.err
}

var errNoRate = errors.New("the Rate is nil: make one with rxcql.NewRate")

// AwaitRows is for stages that hold rows back: it waits until the next of n rows may go on, and
// returns how many may, at least one. Above 100 rows a second it waits for those of 10 ms at least.
// Its error is the cause of ctx.
func (r *Rate) AwaitRows(ctx context.Context, st *Stage, n int) (int, error) {
	may, err := r.rows.take(ctx, st.run.stopping, int64(n))
	return int(may), err
}

// AwaitBytes is AwaitRows for bytes.
func (r *Rate) AwaitBytes(ctx context.Context, st *Stage, n int64) (int64, error) {
	return r.bytes.take(ctx, st.run.stopping, n)
}

// AwaitRequest waits until a request may be made. A nil Rate lets all through. Its error is the
// cause of ctx. After Pipeline.Stop a sink no longer waits. A source does: it is to make no more
// requests, so the ctx that it gives must end with Stop.
func (r *Rate) AwaitRequest(ctx context.Context, st *Stage) error {
	if r == nil {
		return nil
	}
	stopping := st.run.stopping
	if st.node.info.Source {
		stopping = nil
	}
	_, err := r.requests.take(ctx, stopping, 1)
	return err
}
