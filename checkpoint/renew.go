package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
)

// errTaken says that the row has another owner, or none.
var errTaken = errors.New("another process has the lease, or it ended, or the row was deleted")

// renewUntilStopped renews the lease every third of its time, and more often after a failure. It
// ends when ctx ends or the lease is lost.
func (l *lease) renewUntilStopped(ctx context.Context) {
	var failed error
	pause := l.span / 3
	for {
		if sleep(ctx, min(pause, time.Until(l.deadline()))) != nil {
			return
		}
		// Whatever the reason, a lease that ran out is lost: the server may have given it to
		// another process. A Save may have renewed it meanwhile.
		if !time.Now().Before(l.deadline()) {
			l.lose(errors.Join(errRanOut, failed))
			return
		}
		switch failed = l.renew(ctx); {
		case ctx.Err() != nil:
			return
		case errors.Is(failed, errTaken):
			l.lose(nil)
			return
		case failed != nil:
			pause = l.span / 12
		default:
			pause = l.span / 3
		}
	}
}

// renew sends one renewal. It need not find out what came of one that failed: if it was made after
// all that does no harm, and the next one shows.
func (l *lease) renew(ctx context.Context) error {
	// One request without an answer must not use up all of the lease's time.
	ctx, cancel := context.WithTimeout(ctx, min(l.span/3, time.Until(l.deadline())))
	defer cancel()
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	for {
		sent := time.Now()
		applied, owner, err := l.row.swap(ctx, change{from: l.mine, to: l.mine, lease: l.span})
		switch {
		case err != nil:
			return err
		case applied:
			l.renewed(sent)
			return nil
		case owner == nobody || owner != l.open:
			return errTaken
		}
		l.mine, l.open = l.open, nobody // the Save that was given up had been made
	}
}

// renewed notes that the server confirmed a renewal that was sent at that time.
func (l *lease) renewed(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := sent.Add(l.span); until.After(l.until) {
		l.until = until
	}
}

func (l *lease) deadline() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// lose closes lost. A nil reason stands for errTaken. The first reason is kept.
func (l *lease) lose(why error) {
	if why == nil {
		why = errTaken
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.over, l.why = true, why
		close(l.lost)
	}
}

// lostErr returns nil as long as the lease is held.
func (l *lease) lostErr() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		return nil
	}
	return fmt.Errorf("%w: %w", rxcql.ErrCheckpointLost, l.why)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
