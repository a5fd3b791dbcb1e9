package sink

import (
	"context"
	"regexp"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// sender runs the statements of Exec: again after any failure that may pass if
// that does no harm, else only after one that left nothing applied.
func (e *exec[T]) sender(st *rxcql.Stage) func(context.Context, func(context.Context) error) (bool, error) {
	may, unsure := mayRetry(e.cql, e.cfg.idempotent)
	q := newRequests(st, e.cfg.inFlight, unsure)
	return func(ctx context.Context, run func(context.Context) error) (bool, error) {
		applied, err := q.attempt(ctx, func() error { return run(ctx) })
		if err == nil {
			return false, nil
		}
		return q.retry(ctx, applied, err, may, func(bool) error { return run(ctx) })
	}
}

// mayRetry tells of a statement's failure whether it may be run again after it, and
// whether it may have been applied.
func mayRetry(cql string, idempotent bool) (may, unsure func(error) bool) {
	unsure = outcome(cql)
	return func(err error) bool { return driver.MayPass(err) && (idempotent || !unsure(err)) }, unsure
}

// inSteps finds statements that the server runs in several steps: batches, and
// conditional ones. A column named "if" is taken for one too, which does no harm.
var inSteps = regexp.MustCompile(`(?i)^\s*BEGIN\b|\bIF\b`)

// outcome is driver.MayBeApplied for a statement. Where there are several steps, a
// later one may find too few replicas alive.
func outcome(cql string) func(error) bool {
	if !inSteps.MatchString(cql) {
		return driver.MayBeApplied
	}
	return func(err error) bool {
		return driver.Classify(err) == driver.Unavailable && !driver.NotSent(err) || driver.MayBeApplied(err)
	}
}

// describe asks the server for a statement's parameters; what may pass is tried
// again.
func describe(ctx context.Context, s *driver.Session, cql string) (about *driver.Description, err error) {
	err = rxcql.Retry(ctx, driver.MayPass, func() error {
		about, err = s.Describe(ctx, cql)
		return err
	})
	return about, err
}
