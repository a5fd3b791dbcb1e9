package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/backoff"
	"github.com/rxcql/rxcql/internal/driver"
)

const maxTries = 7

// tries is how a request is sent again: 7 times in all, with waits of about 6.3 s together.
var tries = backoff.Policy{First: 100 * time.Millisecond, Longest: 10 * time.Second, Attempts: maxTries}

// openError says that a request was given up, and may have been carried out or may still be.
type openError struct{ err error }

func (e *openError) Error() string {
	return fmt.Sprintf("%v; whether the server did it is not known", e.err)
}

func (e *openError) Unwrap() error { return e.err }

// settle makes a change and finds out what came of it. It returns the owner of the row after it:
// c.to if the change was made, else the owner that prevented it. No two owners are ever alike, so a
// row whose owner is c.to has the change. An attempt that reaches the server long after it was
// given up here finds that the owner is no longer c.from, and does nothing.
func settle(ctx context.Context, r row, c change) (owner gocql.UUID, err error) {
	open := false
	err = retry(ctx, func() error {
		if open {
			if owner, err = r.owner(ctx); err != nil || owner != c.from {
				return err
			}
		}
		applied, found, err := r.swap(ctx, c)
		if owner = found; applied {
			owner = c.to
		}
		open = open || driver.MayBeApplied(err)
		return err
	})
	if err != nil && open {
		err = &openError{err}
	}
	return owner, err
}

// retry calls try until it returns nil or an error that will not pass, or until the tries or ctx
// end.
func retry(ctx context.Context, try func() error) error {
	err := try()
	if err == nil || ctx.Err() != nil || !passing(err) {
		return err
	}
	last, _, why := tries.Retry(ctx, err, passing, func(int) error { return try() })
	if why != nil && !errors.Is(why, backoff.ErrLimit) {
		return fmt.Errorf("%w (%w)", last, why)
	}
	return last
}

// passing reports whether it may help to ask again.
func passing(err error) bool {
	switch class := driver.Classify(err); class {
	case driver.SessionClosed, driver.Cancelled:
		return false
	default:
		return class.Transient() || class.Ambiguous()
	}
}
