package source

import (
	"context"
	"maps"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// setTop sets the time up to which rows are given in a poll. It is that of its beginning: where the
// sink stalls in the middle of a poll, a partition that is read later would otherwise give rows
// that arrived long after those which the others have yet to give.
func (r *tailReader[T]) setTop() {
	r.top = r.clock.now.latest + 1
	if r.cfg.delay > 0 {
		r.top = r.clock.now.early - r.cfg.delay.Milliseconds()
	}
	if r.cfg.delay >= r.cfg.overlap { // so that nothing is to be remembered
		r.top = min(r.top, r.clock.complete)
	}
	r.unread = time.Duration(r.clock.now.latest+1-r.top) * time.Millisecond
	if !r.cfg.until.IsZero() {
		r.top = min(r.top, r.cfg.until.UnixMilli())
	}
}

// complete is the time before which no rows come any more that are given.
func (r *tailReader[T]) complete() int64 { return min(r.clock.complete, r.top) }

// poll reads all partitions that are not over. over reports that the stream has ended.
func (r *tailReader[T]) poll(ctx context.Context) (over bool, err error) {
	if err := r.askClock(ctx); err != nil {
		return false, err
	}
	r.gave, r.told = false, time.Now()
	r.setTop()
	r.noteAway()
	last := !r.cfg.until.IsZero() && r.complete() >= r.cfg.until.UnixMilli()
	for start := r.place.first; start <= r.lastBucket(); {
		if err := r.passReread(ctx, start); err != nil {
			return false, err
		}
		if start, err = r.bucket(ctx, start); err != nil {
			return false, err
		}
	}
	if err := r.passReread(ctx, forever); err != nil {
		return false, err
	}
	r.measure()
	r.noteFailed()
	switch {
	case last:
		return true, r.tell(ctx, flow.Moment{}, true)
	case !r.gave:
		r.idle = r.idleSince()
		return false, r.tell(ctx, r.idle, false)
	}
	return false, nil
}

// lastBucket returns a time in the last bucket that may have rows. The clock that makes buckets may
// not be one that is asked here.
func (r *tailReader[T]) lastBucket() int64 {
	ahead := r.cfg.overlap.Milliseconds()
	last := r.clock.now.latest + ahead
	if r.reread != nil {
		last = max(last, r.reread.last)
	}
	if !r.cfg.until.IsZero() {
		last = min(last, r.cfg.until.UnixMilli()+ahead)
	}
	return last
}

// bucket reads the partitions of one bucket, and returns the start of the next.
func (r *tailReader[T]) bucket(ctx context.Context, start int64) (next int64, err error) {
	_, next, err = r.buckets.of(start)
	if err != nil {
		return 0, r.stage.Fail(err)
	}
	// One after the other: time may have gone on since the bucket before was read.
	over := (r.complete() >= next || r.reread.isOver(next)) && r.place.first == start
	for shard, p := range r.passes {
		if err := r.open(p, tailPartition{start, shard}, over); err != nil {
			return 0, r.stage.Fail(err)
		}
	}
	if err := r.merge(ctx, r.passes); err != nil {
		return 0, err
	}
	if over {
		r.place.over(next)
		maps.DeleteFunc(r.answers, func(of tailPartition, _ *tailAnswer) bool { return of.bucket < next })
		r.records = appendOver(r.records, next)
		if err := r.charge(); err != nil {
			return 0, err
		}
	}
	if len(r.records) > 0 && time.Since(r.told) > time.Second { // there may be years of empty buckets
		err = r.tell(ctx, r.idle, false) // it says nothing new of that, and does not end it
	}
	return next, err
}

// measure tells how far behind now the tail is.
func (r *tailReader[T]) measure() {
	done := float64(r.clock.now.early)
	for of := range r.place.edges {
		done = min(done, float64(r.place.edges[of].at))
	}
	end := float64(r.clock.now.early)
	if !r.cfg.until.IsZero() {
		end = float64(r.cfg.until.UnixMilli())
	}
	from := float64(r.place.from)
	r.stage.Measured(max(0, done-from), max(0, end-from))
}
