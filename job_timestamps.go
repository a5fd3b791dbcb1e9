package rxcql

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql/internal/saved"
)

// timestamps keeps the write timestamps of a job's runs apart:
//
//   - each save says up to where its run may have given timestamps;
//   - no run gives a timestamp before a save that covers it is durable;
//   - the next run begins above what was saved.
//
// So it does not matter what the clocks of machines say or when a save was made. Nor need a process
// that lost its job know that: it can save no more, so it stays below.
type timestamps struct {
	asked atomic.Int64 // the highest that sinks asked for; at first the run's TimestampBase
	saved atomic.Int64 // what is durable
	final bool         // nobody asks any more
}

// allowance is how much more is saved than was asked for, so that sinks seldom wait for a save of
// their own. After a kill, the next run may have to wait that long, if timestamps had caught up
// with the clock.
const allowance = 2 * time.Second

// ReserveTimestamps is for sinks that give rows timestamps of their own, from TimestampBase on.
// When it returns nil, every timestamp that a later run of the job gives is above upTo. Call it in
// Write, before a timestamp is given, and only when the clock is close to it: a later run waits
// until the clock is there. Without a checkpoint it does nothing.
func (r *Execution) ReserveTimestamps(ctx context.Context, upTo int64) error {
	if r.job == nil {
		return nil
	}
	return r.job.reserve(ctx, upTo)
}

func (j *job) reserve(ctx context.Context, upTo int64) error {
	t := &j.stamps
	for asked := t.asked.Load(); asked < upTo && !t.asked.CompareAndSwap(asked, upTo); {
		asked = t.asked.Load()
	}
	if upTo <= t.saved.Load() {
		return nil
	}
	if err := j.saving.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	defer j.saving.Release(1)
	if upTo <= t.saved.Load() { // by the save that was being made
		return nil
	}
	if j.last == nil {
		return j.fail(errors.New("timestamps cannot be reserved before the first save: call ReserveTimestamps in Write, not in Open"))
	}
	// The positions stay those of the save before: this goroutine is in the middle of a page, and
	// new positions may need a barrier, which would wait for that page.
	s, err := saved.Decode(j.last)
	if err != nil {
		return j.fail(err)
	}
	return j.put(ctx, s)
}

// put makes a save durable, with the time and the timestamps that it reserves. The caller holds
// saving.
func (j *job) put(ctx context.Context, s *saved.State) error {
	now := time.Now()
	s.Time, s.Reserved = now.UnixMicro(), j.stamps.next(now)
	data, err := saved.Encode(s)
	if err != nil {
		return j.fail(err)
	}
	save := func(ctx context.Context, data []byte) error {
		return protect(func() string { return "checkpoint" }, func() error { return j.lock.Save(ctx, data) })
	}
	if err := j.observed(ctx, s, data, save); err != nil {
		return j.fail(err)
	}
	j.stamps.saved.Store(s.Reserved)
	j.logSaved(ctx, j.run.saves.Add(1), len(data))
	return nil
}

// next returns what a save made now reserves: never less than what was saved or asked for, and
// otherwise at most the allowance ahead of the clock. Without that limit, runs that are killed one
// after the other would each begin further ahead.
func (t *timestamps) next(now time.Time) int64 {
	asked := t.asked.Load()
	if t.final {
		return asked
	}
	return max(t.saved.Load(), asked, min(asked, now.UnixMicro())+allowance.Microseconds())
}
