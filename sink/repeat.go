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
	unsure := outcome(e.cql)
	q := newRequests(st, e.cfg.inFlight, unsure)
	may := func(err error) bool { return mayPass(err) && (e.cfg.idempotent || !unsure(err)) }
	return func(ctx context.Context, run func(context.Context) error) (bool, error) {
		applied, err := q.attempt(ctx, func() error { return run(ctx) })
		if err == nil {
			return false, nil
		}
		return q.again(ctx, applied, err, may, func(bool) error { return run(ctx) })
	}
}

// inSteps finds statements that the server runs in several steps: batches, and
// conditional ones. A column named "if" is taken for one too, which does no harm.
var inSteps = regexp.MustCompile(`(?i)^\s*BEGIN\b|\bIF\b`)

// outcome tells of a statement's failure whether it may have been applied. Where
// there are several steps, a later one may find too few replicas alive.
func outcome(cql string) func(error) bool {
	if !inSteps.MatchString(cql) {
		return driver.MayBeApplied
	}
	return func(err error) bool {
		return driver.Classify(err) == driver.Unavailable || driver.MayBeApplied(err)
	}
}

// describe asks the server for a statement's parameters; what may pass is tried
// again.
func describe(ctx context.Context, s *driver.Session, cql string) (about *driver.Description, err error) {
	err = rxcql.Retry(ctx, mayPass, func() error {
		about, err = s.Describe(ctx, cql)
		return err
	})
	return about, err
}
