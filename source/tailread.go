package source

import (
	"context"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// tailReader polls a table in one run.
type tailReader[T any] struct {
	*tailing[T]
	plan   *tailPlan
	stage  *rxcql.Stage
	pages  buffers[T] // of rows that are handed on
	clock  *tailClock
	passes []*pass[T]        // one a shard
	room   *flow.Reservation // for what these have, and what they fetch; nil between two merges

	track  *flow.Track
	limit  func() int64
	send   func(*fetched[T]) error
	page   int64 // the next one
	place  *tailPlace
	told   time.Time     // when a page was handed on last, or the poll began
	idle   flow.Moment   // when a poll found nothing, unless rows have been given since
	top    int64         // rows that arrived before are given in this poll
	unread time.Duration // before its beginning, of which rows are not given in it
	gave   bool          // the poll has found rows

	hears   tailHeard
	usual   usualPolls
	answers map[tailPartition]*tailAnswer // the latest of each partition that is not over
	steady  clockReading                  // the clocks are ahead if they have gone on since by more than time has
	away    flow.IdleLog

	reread *tailReread // nil if nothing is to be read again, or all of that has been

	records []byte    // what has changed since a page had that, see tailPlace.save
	noted   time.Time // when a page had it last
	row     tailRow   // the next one, if hashed
	hashed  bool
	scratch []byte

	most    int64 // bytes of keys
	account *flow.Account
	held    *flow.Reservation // the keys' bytes
	charged int64
}

// reader returns what makes the reader of a run.
func (t *tailing[T]) reader(plan *tailPlan) func(*rxcql.Stage, buffers[T]) partReader[T] {
	return func(st *rxcql.Stage, buffers buffers[T]) partReader[T] {
		r := &tailReader[T]{
			tailing: t, plan: plan, stage: st, pages: buffers, clock: newTailClock(&t.cfg, t.session.Now), answers: map[tailPartition]*tailAnswer{},
			most: t.cfg.seen, account: st.Account(false), // keys go only when more is read
		}
		if r.most == 0 {
			r.most = defaultSeen(st.Run())
		}
		r.held = r.account.Reservation()
		for range t.buckets.shards() {
			r.passes = append(r.passes, r.newPass(st))
		}
		return r
	}
}

// read polls until the stream ends, see partReader.
func (r *tailReader[T]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error {
	defer r.held.Release()
	r.track, r.limit, r.send = p.track, limit, send
	if r.track == nil {
		r.track = r.stage.Track(p.span)
	}
	r.track.Fold(func() func(state, records []byte) []byte {
		return (&tailFold{cells: len(r.plan.about.ClusteringKey)}).fold
	})
	r.track.Shorten(func(records []byte) []byte { return shortened(records, len(r.plan.about.ClusteringKey)) })
	r.track.ReadByState()
	if err := r.begin(ctx); err != nil {
		return err
	}
	for {
		began := time.Now()
		over, err := r.poll(ctx)
		if over || err != nil {
			return err
		}
		pause := r.cfg.poll - time.Since(began)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		r.hears.pause = max(0, pause)
	}
}

// sleep waits. Its error is the cause of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// begin finds where to begin. A job that is new is told so at once, in a page without rows: if it
// began at the next run's now, rows would be missed that arrive until then.
func (r *tailReader[T]) begin(ctx context.Context) error {
	var state []byte
	r.page, state = r.track.From()
	if err := r.askClock(ctx); err != nil {
		return err
	}
	if err := r.beginReread(); err != nil {
		return err
	}
	if state != nil {
		place, err := parseTailPlace(state, len(r.plan.about.ClusteringKey))
		if err != nil {
			return r.stage.Fail(err)
		}
		r.place = place
		return r.charge()
	}
	from := r.from()
	// The clock that made the bucket may not be the one that made the time.
	first, _, err := r.buckets.of(from - r.cfg.overlap.Milliseconds())
	if err != nil {
		return r.stage.Fail(err)
	}
	r.place = newTailPlace(from, first)
	r.records = appendBegin(nil, from, first)
	return r.tell(ctx, flow.Moment{}, false)
}

// tailBegan is the key of the moment at which a tail was read first in a run.
type tailBegan[T any] struct{ *tailing[T] }

// from is where a new tail begins. Without TailFrom that is now, when the run reads it first: if
// operators.Retry reads it again it must not miss what has arrived since.
func (r *tailReader[T]) from() int64 {
	switch {
	case r.reread != nil: // nothing was settled
		return r.reread.place.from
	case !r.cfg.from.IsZero():
		return r.cfg.from.UnixMilli()
	}
	now := r.clock.now.early
	return r.stage.Run().Shared(tailBegan[T]{r.tailing}, func() any { return now }).(int64) //nolint:forcetypeassert // as made here
}

func (r *tailReader[T]) askClock(ctx context.Context) error {
	tries, began, asked := 0, time.Now(), time.Time{}
	err := retried(ctx)(func() error {
		tries, asked = tries+1, time.Now()
		return r.clock.read(ctx)
	})
	if err != nil {
		return r.failedWith(ctx, fmt.Errorf("asking the server's clock: %w", err))
	}
	r.heard(&r.hears.clock, began, asked, tries > 1)
	return nil
}

// tell hands on a page without rows: for what has changed, because the part was idle at a moment
// (unless that is zero), or at the end.
func (r *tailReader[T]) tell(ctx context.Context, idle flow.Moment, last bool) error {
	if err := r.track.AwaitRoom(ctx); err != nil {
		return err
	}
	reservation, err := r.stage.Input().Reserve(ctx, 1)
	if err != nil {
		return err
	}
	reservation.Resize(0)
	reservation.Idle = r.away.At(idle)
	return r.handOn(&fetched[T]{Page: flow.Page[T]{Reservation: reservation}}, last)
}

// notedEvery is how often pages without rows say how far a quiet table has been read. Each of them
// is kept for as long as a stage with windows holds one before it. A run that goes on reads so much
// more of the table again in addition to the overlap.
const notedEvery = 10 * time.Second

// handOn gives a page. With rows it has what has changed up to it.
func (r *tailReader[T]) handOn(p *fetched[T], last bool) error {
	p.Position = flow.Position{Page: r.page, Last: last}
	if r.reread != nil {
		if r.reread.before || len(p.rows)+len(p.bad) == 0 {
			p.WasRead()
		}
		if p.passed = r.reread.over; p.passed {
			r.reread = nil
		}
	}
	p.track = r.track
	r.page++
	r.told = time.Now()
	if p.Idle == nil || r.told.Sub(r.noted) >= notedEvery {
		p.next, r.records, r.noted = r.records, nil, r.told
	}
	if err := r.send(p); err != nil {
		p.Release() // it may not have been delivered
		return err
	}
	return nil
}

// failed is failedWith for a request.
func (r *tailReader[T]) failed(ctx context.Context, of tailPartition, err error) error {
	return r.failedWith(ctx, &rxcql.RowError{Range: r.plan.nameOf(of), Page: r.page, Row: -1, Err: err})
}

// failedWith returns the stage's error, or the cause of ctx if that is the only reason.
func (r *tailReader[T]) failedWith(ctx context.Context, err error) error {
	return r.passes[0].pages.failed(ctx, err)
}
