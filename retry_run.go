package rxcql

import (
	"context"
	"time"
)

// Retry sends a request again that has failed with first. It asks may whether
// an error allows that, waits, counts the repeat (Stage.CountRetry), and calls
// again with the number of the repeat, from 1; and so on until again returns
// nil or an error that may refuses, which Retry returns as it is, or until the
// limit of WithRetry, which is a RetryError around the last error.
//
// The wait ends at once, with the context's cause, when ctx ends or the run's
// context does (Execution.Context): sinks give the context of Sink.Open, and after a
// cancel begin no new attempt, while one that is under way has the grace period.
//
// Without a first error it does nothing. So the way of a request that succeeds
// costs nothing, if the closures are made only after a failure.
//
// Hooks get the errors, so they must not hold values; see RetryUserFunc.
func (s *Stage) Retry(ctx context.Context, first error, may func(error) bool, again func(attempt int) error) error {
	return s.retry(ctx, first, may, again, func(err error) error { return err })
}

// RetryUserFunc is Retry for a function of the user's, as FailUserFunc is Fail: of its errors,
// whose words may be values, hooks are told what the log would be.
func (s *Stage) RetryUserFunc(ctx context.Context, first error, may func(error) bool, again func(attempt int) error) error {
	return s.retry(ctx, first, may, again, func(err error) error { return &maskedError{err, say(err, nil).shown} })
}

func (s *Stage) retry(ctx context.Context, first error, may func(error) bool, again func(int) error, shown func(error) error) error {
	r := s.run.cfg.retry
	if !r.allows(first, may) {
		return first
	}
	ctx, cancel := s.run.within(ctx)
	defer cancel()
	return r.retry(ctx, first, may, again, func(attempt int, wait time.Duration, err error) { s.retried(ctx, attempt, wait, shown(err)) })
}

// Retry does something and does it again as Stage.Retry would: the same waits, and
// the limit of WithRetry, which ctx knows where it comes from the pipeline. So a
// function given to MapConcurrent or sink.Each can ask again for what may pass, with
// the ctx that it gets:
//
//	err := rxcql.Retry(ctx, rxcql.MayPass, func() error {
//		return session.Query(cql, row.ID).WithContext(ctx).Scan(&name)
//	})
//
// It is for Check of stages and sinks as well, where there is no stage yet, and for
// stores of dead letters. Elsewhere the limit is DefaultRetryTime. Repeats during a
// run are counted in its report (Hooks.Retry is not called), and none begins after its
// context has ended (Execution.Context), though ctx may outlive that.
//
// The error is the last one as it is if may refuses it, a RetryError around it at the
// limit, or the cause of the context that ended. Stages and sinks of your own, which
// have a Stage, use Stage.Retry.
func Retry(ctx context.Context, may func(error) bool, do func() error) error {
	err := do()
	if err == nil {
		return nil
	}
	known, found := ctx.Value(retryKey{}).(checking)
	if !found {
		known.policy.total = DefaultRetryTime
	}
	if !known.policy.allows(err, may) {
		return err
	}
	if known.run == nil {
		return known.policy.retry(ctx, err, may, func(int) error { return do() }, func(int, time.Duration, error) {})
	}
	ctx, cancel := known.run.within(ctx)
	defer cancel()
	return known.policy.retry(ctx, err, may, func(int) error { return do() }, func(int, time.Duration, error) { known.run.retried.Add(1) })
}

// within ends ctx, which may be that of the writes, as soon as the run's ends.
func (r *Execution) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

type retryKey struct{}

// checking is what Retry and ExecutionFromContext find in the context of a check or a store.
type checking struct {
	policy retryPolicy
	run    *Execution // nil outside of a run
}

// withRetry lets the checks that get the context know the limit.
func withRetry(ctx context.Context, cfg config, r *Execution) context.Context {
	return context.WithValue(ctx, retryKey{}, checking{cfg.retry, r})
}
