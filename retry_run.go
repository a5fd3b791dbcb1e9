package rxcql

import (
	"context"
	"time"
)

// Retry repeats a request that has failed with first. If may allows the error, it waits, counts the
// repeat (Stage.CountRetry), and calls again with the number of the repeat, from 1. It goes on so
// until one of these:
//
//   - again returns nil;
//   - again returns an error that may refuses: Retry returns it as it is;
//   - the limit of WithRetry: Retry returns a RetryError around the last error;
//   - ctx or the run's context (Execution.Context) ends during a wait: Retry returns its cause at
//     once.
//
// Sinks pass the context of Sink.Open. Then no new attempt begins after a cancel, and an attempt
// that is under way has the grace period.
//
// If first is nil, Retry does nothing. Make the closures only after a failure, and a request that
// succeeds costs nothing.
//
// Hooks are told the errors, so these must not hold values; see RetryUserFunc.
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

// Retry calls do, and calls it again after a failure as Stage.Retry would: with the same waits, and
// the limit of WithRetry, which it finds in a ctx that comes from the pipeline. A function given to
// MapConcurrent or sink.Each can use it with the ctx that it gets:
//
//	err := rxcql.Retry(ctx, rxcql.MayPass, func() error {
//		return session.Query(cql, row.ID).WithContext(ctx).Scan(&name)
//	})
//
// Retry is also for Check of stages and sinks, where there is no Stage yet, and for stores of dead
// letters. With any other ctx the limit is DefaultRetryTime. Repeats during a run are counted in
// its report, but Hooks.Retry is not called. No repeat begins after the run's context has ended
// (Execution.Context), even if ctx outlives that.
//
// The error is one of these:
//
//   - the last error as it is, if may refuses it;
//   - a RetryError around the last error, at the limit;
//   - the cause of the context that ended.
//
// Stages and sinks of your own, which have a Stage, use Stage.Retry.
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

// within returns a context that ends with ctx, and also as soon as the run's context ends.
func (r *Execution) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

type retryKey struct{}

// checking is what Retry and ExecutionFromContext find in a context.
type checking struct {
	policy retryPolicy
	run    *Execution // nil outside of a run, and in a Check
	inRun  bool       // also in a Check that a function of a run calls
}

// withRetry returns a context in which Retry finds the limit, and the run if there is one.
func withRetry(ctx context.Context, cfg config, r *Execution) context.Context {
	outer, _ := ctx.Value(retryKey{}).(checking)
	return context.WithValue(ctx, retryKey{}, checking{cfg.retry, r, r != nil || outer.inRun})
}
