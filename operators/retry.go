package operators

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/backoff"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/stopping"
)

// DefaultRetryAttempts is how often Retry reads its stream at most, the first time included.
const DefaultRetryAttempts = 5

// The waits before Retry reads its stream again, unless RetryDelay says otherwise.
const (
	DefaultFirstRetryDelay   = 500 * time.Millisecond
	DefaultLongestRetryDelay = 30 * time.Second
)

// RetryOption says what Retry reads again, how often, and when.
type RetryOption interface{ applyRetry(*retryConfig) error }

type retryConfig struct {
	may            func(error) bool
	attempts       int
	first, longest time.Duration
	window         time.Duration
}

type (
	retryIf       func(error) bool
	retryAttempts int
	retryWindow   time.Duration
	retryDelay    struct{ first, longest time.Duration }
)

// RetryIf has Retry read the stream again after errors for which fn returns true. Default:
// rxcql.MayPass. fn is asked once for each failure. It is not asked about what Retry never repeats.
func RetryIf(fn func(err error) bool) RetryOption { return retryIf(fn) }

// RetryAttempts is how often the stream is read at most, the first time included. Default 5
// (DefaultRetryAttempts); 0 stands for no limit.
func RetryAttempts(n int) RetryOption { return retryAttempts(n) }

// RetryWindow has attempts count anew, and waits be short again, after an attempt that went well
// for at least d before it failed. Use it for streams that go on for hours. Default: they all
// count.
func RetryWindow(d time.Duration) RetryOption { return retryWindow(d) }

// RetryDelay sets the waits: first before the second attempt, and then twice as long each time, up
// to longest. Each is varied at random by up to a quarter. Default 0.5 s, up to 30 s.
func RetryDelay(first, longest time.Duration) RetryOption { return retryDelay{first, longest} }

func (fn retryIf) applyRetry(c *retryConfig) error {
	c.may = fn
	return required("the function of RetryIf", fn == nil)
}

func (n retryAttempts) applyRetry(c *retryConfig) error {
	c.attempts = int(n)
	return atLeast("RetryAttempts", int64(n), 0)
}

func (d retryWindow) applyRetry(c *retryConfig) error {
	c.window = time.Duration(d)
	if d <= 0 {
		return fmt.Errorf("RetryWindow(%v): must be more than 0", time.Duration(d))
	}
	return nil
}

func (d retryDelay) applyRetry(c *retryConfig) error {
	c.first, c.longest = d.first, d.longest
	if d.first <= 0 || d.longest < d.first {
		return fmt.Errorf("RetryDelay(%v, %v): the first wait must be more than 0, and the longest not shorter", d.first, d.longest)
	}
	return nil
}

// Retry reads a stream again when it fails: from its beginning, or in a job with a checkpoint after
// what is settled by then.
//
//	prices := operators.Map(rows, lookUp) // lookUp fails for as long as the service is down
//	again := operators.Retry(prices, operators.RetryWindow(time.Hour))
//
// Rows that were handed on before the failure come again behind it: each row at least once, as long
// as the source still has it. So put it before a sink that bears that (a table by its primary key),
// put what counts or folds (Reduce, Take) before it, or a Distinct behind it.
//
// Requests for pages have retries of their own, which repeat one page and no row (rxcql.WithRetry).
// Raise their limit first. Retry is for what these do not cover: an error of an operator's
// function, of an iterator or a file, or of a source of your own.
//
//   - It repeats errors that may pass (rxcql.MayPass), or those that RetryIf says.
//   - It never repeats a panic, a cancel, an error of what follows it, and what says that the run
//     cannot go on so (see rxcql.Attempt). These, and other errors, come back as they are.
//   - At the limit of RetryAttempts the last error comes back in a rxcql.RetryError.
//
// Pages under way when the stream failed need not be settled any more (Report.PagesGivenUp); a run
// is complete when the last attempt is. Pipeline.Stop ends a wait at once; what the failed attempt
// had read and not handed on is then not written, and the run ends without an error. Stop during an
// attempt lets it end in order, and if it fails then that is the error of the run. Rows that failed
// and were skipped, or became dead letters, are so in each attempt.
//
// Order: each attempt's is kept. Retry holds nothing and has no goroutine of its own that hands
// rows on. Each attempt is a reading of the source of its own (flow.Origin), whose parts do not end
// where it fails. So GroupAdjacent and DistinctAdjacent stand before it, not behind it.
//
// It is resumable, but not before a sink that writes a file. Streams that can be read only once
// (source.Chan, source.Pages, source.FromObservable, Rx, and what sink.Through and Lanes give to
// functions) are refused by New. A source.Seq is read again if its iterator can be.
func Retry[T any](in rxcql.Stream[T], opts ...RetryOption) rxcql.Stream[T] {
	cfg := retryConfig{
		may: rxcql.MayPass, attempts: DefaultRetryAttempts, first: DefaultFirstRetryDelay, longest: DefaultLongestRetryDelay,
	}
	err := option.Apply(opts, &cfg, RetryOption.applyRetry)
	info := rxcql.StageInfo{
		Name: "Retry", Synchronous: true, MixesRows: true, RepeatsRows: true, Attempts: true,
		Err: errors.Join(err, readableAgain(in.Stages()), notInLane(in.Lane())),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		r := &retrying[T]{retryConfig: cfg, in: in, st: st, out: out}
		r.read(ctx)
		for r.again {
			if err := r.round(ctx); err != nil {
				return err
			}
		}
		if r.last.Err != nil && !r.stopped {
			return r.err()
		}
		return out.Done(ctx, r.stopped || r.last.Stopped)
	}, in)
}

// readableAgain returns an error if one of the stages can be read only once.
func readableAgain(stages []rxcql.StageInfo) error {
	var errs []error
	for _, info := range stages {
		if info.ReadOnce {
			errs = append(errs, fmt.Errorf("%s cannot be read again: %s", info.Name, info.ReadOnceReason))
		}
	}
	return errors.Join(errs...)
}

// notInLane returns an error if the stream is one inside of Lanes.
func notInLane(lane string) error {
	if lane == "" {
		return nil
	}
	return errors.New("the stream of a lane cannot be read again: its rows are dealt out once; put Retry before Lanes, or around it")
}

// retrying is one run of Retry.
type retrying[T any] struct {
	retryConfig
	in  rxcql.Stream[T]
	st  *rxcql.Stage
	out flow.Observer[T]

	last    *rxcql.Attempt
	before  error     // of the attempt before; nil if there was none
	failed  time.Time // when the last one failed
	again   bool      // it is to be repeated
	fresh   bool      // it went well for so long that attempts count anew
	stopped bool      // while waiting
}

// read makes an attempt.
func (r *retrying[T]) read(ctx context.Context) {
	begun := time.Now()
	r.last = r.in.Attempt(ctx, r.st, r.out)
	r.failed = time.Now()
	r.again = r.last.Failed && !isStopping(r.st) && r.may(r.last.Err)
	r.fresh = r.window > 0 && r.failed.Sub(begun) >= r.window
}

// err returns the error of the last attempt. A source that can be read only once, and does not say
// so (StageInfo.ReadOnce), is not why the stream has failed.
func (r *retrying[T]) err() error {
	if r.before != nil && errors.Is(r.last.Err, rxcql.ErrSingleRun) {
		return errors.Join(r.before, r.last.Err)
	}
	return r.last.Err
}

// round makes attempts that count together, after one that has failed. It returns an error if no
// more may be made, or if ctx ends during a wait.
func (r *retrying[T]) round(ctx context.Context) error {
	r.fresh = false
	waiting, end := untilStop(ctx, r.st)
	defer end()
	begun := r.failed
	policy := backoff.Policy{First: r.first, Longest: r.longest, Attempts: r.attempts}
	may := func(error) bool { return r.again && !r.fresh }
	last, attempts, why := policy.Retry(waiting, r.last.Err, may, func(attempt int) error {
		r.last.Again(ctx, attempt+1, time.Since(r.failed))
		r.before = r.last.Err
		r.read(ctx)
		return r.last.Err
	})
	switch {
	case why == nil:
		return nil
	case errors.Is(why, stopping.Err):
		r.last.Abandon()
		r.again, r.stopped = false, true
		return nil
	case flow.IsEnd(why): // what follows needs no more: by rows of another input, say
		r.last.Abandon()
	case errors.Is(why, backoff.ErrLimit):
		return &rxcql.RetryError{Attempts: attempts, Duration: time.Since(begun), Err: last, Limit: "RetryAttempts"}
	}
	return why
}
