package sink

import (
	"context"
	"regexp"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// sender runs the statements of Exec. If repeating does no harm, it repeats after any failure that
// may pass, else only after one that left nothing applied. giveUp ends the waits of those that
// Throttle holds back.
func (e *exec[T]) sender(st *rxcql.Stage, a *execAim) (send func(context.Context, func(context.Context) error) (bool, error), giveUp func()) {
	may, unsure := mayRetry(e.cql, e.cfg.idempotent)
	q := newRequests(st, e.cfg.inFlight, e.cfg.rate, unsure, e.event(a))
	return func(ctx context.Context, run func(context.Context) error) (bool, error) {
		applied, err := q.attempt(ctx, ctx, q.of(1, 0), run)
		if err == nil {
			return false, nil
		}
		return q.retry(ctx, q.of(1, 0), applied, err, may, func(ctx context.Context, _ bool) error { return run(ctx) })
	}, q.close
}

// event returns what hooks are told of all statements.
func (e *exec[T]) event(a *execAim) rxcql.WriteEvent {
	about := rxcql.WriteEvent{Keyspace: a.about.Keyspace, Table: a.about.Table, Consistency: e.session.Consistency(e.cfg.consistency)}
	if words := strings.Fields(e.cql); len(words) > 0 {
		about.Operation = strings.ToUpper(words[0])
	}
	return about
}

// mayRetry returns two functions of a statement's failure: may reports whether the statement may be
// run again, unsure whether it may have been applied.
func mayRetry(cql string, idempotent bool) (may, unsure func(error) bool) {
	unsure = outcome(cql)
	return func(err error) bool { return driver.MayPass(err) && (idempotent || !unsure(err)) }, unsure
}

// inSteps matches statements that the server runs in several steps: batches, and conditional ones.
// It also matches a column named "if", which does no harm.
var inSteps = regexp.MustCompile(`(?i)^\s*BEGIN\b|\bIF\b`)

// outcome is driver.MayBeApplied for a statement. If it has several steps, a later one may find too
// few replicas alive.
func outcome(cql string) func(error) bool {
	if !inSteps.MatchString(cql) {
		return driver.MayBeApplied
	}
	return func(err error) bool {
		return driver.Classify(err) == driver.Unavailable && !driver.NotSent(err) || driver.MayBeApplied(err)
	}
}

// describe asks the server for a statement's parameters, and again after a failure that may pass.
func describe(ctx context.Context, s *driver.Session, cql string) (about *driver.Description, err error) {
	err = rxcql.Retry(ctx, driver.MayPass, func() error {
		about, err = s.Describe(ctx, cql)
		return err
	})
	return about, err
}
