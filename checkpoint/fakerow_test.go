package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gocql/gocql"
)

// fault is what goes wrong with a request.
type fault int

const (
	fine        fault = iota
	unavailable       // refused: the server did nothing
	lostRequest       // no answer, and the server did nothing
	lostAnswer        // no answer, but the server did it
	late              // no answer, and the server does it when deliver is called
	hangs             // no answer until the context ends, and the server did nothing
	closed            // the session is closed
)

// fakeRow is the row of a job on a server that fails as a test wants it to. It
// has time to live as a Cassandra has.
type fakeRow struct {
	mu      sync.Mutex
	holder  gocql.UUID
	expires time.Time
	bytes   []byte
	saves   int           // that were made
	swaps   int           // that were asked for
	reads   int           // of the owner
	delay   time.Duration // between a request and its answer
	faults  []fault       // of the next requests, reads of the owner included
	then    fault         // of those after
	onTheir []change      // way: those that are late
}

func (r *fakeRow) swap(ctx context.Context, c change) (bool, gocql.UUID, error) {
	r.mu.Lock()
	r.swaps++
	f := r.next()
	var applied bool
	var holder gocql.UUID
	if f == fine || f == lostAnswer {
		applied, holder = r.apply(c)
	}
	if f == late {
		r.onTheir = append(r.onTheir, c)
	}
	delay := r.delay
	r.mu.Unlock()
	if err := r.fault(ctx, f); err != nil {
		return false, nobody, err
	}
	return applied, holder, sleep(ctx, delay)
}

func (r *fakeRow) owner(ctx context.Context) (gocql.UUID, error) {
	r.mu.Lock()
	r.reads++
	f := r.next()
	holder := r.live()
	r.mu.Unlock()
	return holder, r.fault(ctx, f)
}

func (r *fakeRow) data(ctx context.Context) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.bytes), r.fault(ctx, r.next())
}

func (r *fakeRow) fail(doing string, err error) error {
	return fmt.Errorf("the row: %s: %w", doing, err)
}

func (r *fakeRow) apply(c change) (bool, gocql.UUID) {
	if holder := r.live(); holder != c.from {
		return false, holder
	}
	r.holder, r.expires = c.to, time.Now().Add(time.Duration(ttl(c.lease))*time.Second)
	if c.data != nil {
		r.bytes = c.data
		r.saves++
	}
	return true, nobody
}

func (r *fakeRow) live() gocql.UUID {
	if !time.Now().Before(r.expires) {
		return nobody
	}
	return r.holder
}

// deliver lets everything that is late arrive.
func (r *fakeRow) deliver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.onTheir {
		r.apply(c)
	}
	r.onTheir = nil
}

// takeOver makes another process the owner.
func (r *fakeRow) takeOver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holder = gocql.MustRandomUUID()
	r.expires = time.Now().Add(time.Hour)
}

// script says what goes wrong from now on.
func (r *fakeRow) script(then fault, faults ...fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.then, r.faults = then, faults
	r.swaps, r.reads, r.saves = 0, 0, 0
}

// slow makes the server answer so long after a request.
func (r *fakeRow) slow(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

// counts are the swaps asked for, the owners read and the saves made.
func (r *fakeRow) counts() [3]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return [3]int{r.swaps, r.reads, r.saves}
}

func (r *fakeRow) now() (gocql.UUID, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live(), string(r.bytes)
}

func (r *fakeRow) next() fault {
	if len(r.faults) == 0 {
		return r.then
	}
	f := r.faults[0]
	r.faults = r.faults[1:]
	return f
}

func (r *fakeRow) fault(ctx context.Context, f fault) error {
	switch f {
	case fine:
		return nil
	case unavailable:
		return gocql.ErrUnavailable
	case closed:
		return gocql.ErrSessionClosed
	case hangs:
		<-ctx.Done()
		return errors.Join(context.Cause(ctx), ctx.Err())
	}
	return gocql.ErrTimeoutNoResponse
}
