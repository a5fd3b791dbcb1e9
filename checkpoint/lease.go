package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
)

// unlockTimeout bounds Unlock, which has no context: a lease that cannot be given up ends by
// itself.
const (
	unlockTimeout  = 10 * time.Second
	abandonTimeout = time.Second
)

var errRanOut = errors.New("the lease ran out without being renewed")

// lease is the checkpoint in a row of a table, locked.
//
// The owner in the row changes with each Save: Save number n turns owner n into owner n+1. So a
// Save that was held up by the network, and reaches the server after a later one, finds another
// owner and does nothing. And after a lost answer, the owner says whether the Save was made.
type lease struct {
	row  row
	span time.Duration // how long a renewal lasts

	turn chan struct{} // holds a token while requests may be sent; guards mine and open
	mine gocql.UUID    // the owner in the row, as far as known
	open gocql.UUID    // the owner if the last failed Save was made after all; nobody if none failed

	mu    sync.Mutex
	until time.Time     // when the lease ends, by the monotonic clock
	lost  chan struct{} // closed when the lease is no longer the caller's
	why   error         // set before lost is closed
	over  bool          // lost is closed

	stop     context.CancelFunc
	renewals sync.WaitGroup
}

// lockLease takes the lease of a row and begins to renew it.
func lockLease(ctx context.Context, r row, span time.Duration) (*lease, error) {
	me, err := gocql.RandomUUID()
	if err != nil {
		return nil, r.fail("lock", err)
	}
	sent := time.Now()
	owner, err := settle(ctx, r, change{from: nobody, to: me, lease: span})
	switch {
	case err != nil:
		var open *openError
		if errors.As(err, &open) {
			abandon(ctx, r, me, span)
		}
		return nil, r.fail("lock", err)
	case owner != me:
		return nil, r.fail("lock", fmt.Errorf("%w; wait until it ends, or end it (if it crashed, its lease ends by "+
			"itself: %d s after the crash if it has the same Lease)", rxcql.ErrCheckpointLocked, ttl(span)))
	}
	l := &lease{
		row: r, span: span, mine: me, until: sent.Add(span),
		turn: make(chan struct{}, 1), lost: make(chan struct{}),
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx)) // the lease outlives Lock
	l.renewals.Go(func() { l.renewUntilStopped(ctx) })
	return l, nil
}

// abandon gives up a lease that the caller may have taken without knowing, so that the next Lock
// need not wait for its end. If that fails, it has to wait.
func abandon(ctx context.Context, r row, owner gocql.UUID, span time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	_, _, _ = r.swap(ctx, change{from: owner, to: nobody, lease: span})
}

// Load is described at Table.
func (l *lease) Load(ctx context.Context) (data []byte, err error) {
	err = retry(ctx, func() error {
		data, err = l.row.data(ctx)
		return err
	})
	if err == nil && data != nil && len(data) == 0 {
		err = fmt.Errorf("%w: the data are empty; put a copy back, or delete the row to begin anew",
			rxcql.ErrCheckpointDamaged)
	}
	if err != nil {
		return nil, l.row.fail("load", err)
	}
	return data, nil
}

// Save is described at Table. It goes on for no longer than the lease lasts.
func (l *lease) Save(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return l.row.fail("save", errNoData)
	}
	next, err := gocql.RandomUUID()
	if err != nil {
		return l.row.fail("save", err)
	}
	if err := l.enter(ctx); err != nil {
		return l.row.fail("save", err)
	}
	defer l.leave()
	if err := l.lostErr(); err != nil {
		return l.row.fail("save", err)
	}
	ctx, cancel := context.WithDeadlineCause(ctx, l.deadline(), errRanOut)
	defer cancel()

	sent := time.Now()
	owner, err := l.settle(ctx, change{to: next, lease: l.span, data: data})
	switch {
	case err != nil:
		l.open = next
		if errors.Is(err, errRanOut) {
			l.lose(err)
			err = l.lostErr()
		}
		return l.row.fail("save", err)
	case owner != next:
		l.lose(nil)
		return l.row.fail("save", l.lostErr())
	}
	l.mine, l.open = next, nobody
	l.renewed(sent)
	return nil
}

// Lost is described at Table.
func (l *lease) Lost() <-chan struct{} { return l.lost }

// Unlock is described at Table. It takes at most 10 s. If the lease was lost before, that is no
// error: the job is free for others anyway.
func (l *lease) Unlock() error {
	l.stop()
	l.renewals.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), unlockTimeout)
	defer cancel()
	if err := l.enter(ctx); err != nil {
		return l.row.fail("unlock", err)
	}
	defer l.leave()
	if l.lostErr() != nil {
		abandon(ctx, l.row, l.mine, l.span)
		return nil
	}
	if _, err := l.settle(ctx, change{to: nobody, lease: l.span}); err != nil {
		return l.row.fail("unlock", fmt.Errorf("%w; the lease ends by itself within %d s", err, ttl(l.span)))
	}
	return nil
}

// settle makes a change that starts from this lease's owner, including the owner of a Save that was
// given up.
func (l *lease) settle(ctx context.Context, c change) (owner gocql.UUID, err error) {
	c.from = l.mine
	owner, err = settle(ctx, l.row, c)
	if err == nil && owner == l.open && owner != nobody {
		l.mine, l.open = owner, nobody
		c.from = l.mine
		owner, err = settle(ctx, l.row, c)
	}
	return owner, err
}

// enter waits for the turn to send requests.
func (l *lease) enter(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *lease) leave() { <-l.turn }
