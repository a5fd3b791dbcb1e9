package rxcql

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql/internal/saved"
)

// timestamps keeps those of a job's runs apart. Each save says up to where its run
// may have given timestamps, no run gives one before a save that covers it is
// durable, and the next begins above. So it matters neither what the clocks of
// machines say, nor when a save was made, nor whether a process that lost its job
// knows that it did: it can save no more, so it stays below.
type timestamps struct {
	asked atomic.Int64 // the highest that sinks asked for; the run's epoch at first
	saved atomic.Int64 // what is durable
	final bool         // nobody asks any more
}

// allowance is how much more than was asked for is saved, so that sinks seldom wait
// for a save of their own. After a kill so much may have to be waited for, where
// timestamps had come as far as the time.
const allowance = 2 * time.Second

// ReserveTimestamps is for sinks that give rows timestamps of their own, from
// Epoch on: when it returns nil, no later run of the job will give one up to upTo.
// They call it in Write before they give it, and only when the time is near:
// a later run waits until it is. Without a checkpoint there is nothing to do.
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
		return j.fail(errors.New("timestamps cannot be reserved before there was a save: call ReserveTimestamps in Write, not in Open"))
	}
	// The positions stay those of the save before: this goroutine is in the midst of
	// a page, and new ones may need a barrier, which would wait for that page.
	s, err := saved.Decode(j.last)
	if err != nil {
		return j.fail(err)
	}
	return j.put(ctx, s)
}

// put makes a save durable, with the time and with what it reserves; under saving.
func (j *job) put(ctx context.Context, s *saved.State) error {
	now := time.Now()
	s.Time, s.Reserved = now.UnixMicro(), j.stamps.next(now)
	data, err := saved.Encode(s)
	if err != nil {
		return j.fail(err)
	}
	if err := j.observed(ctx, s, data, j.lock.Save); err != nil {
		return j.fail(err)
	}
	j.stamps.saved.Store(s.Reserved)
	j.logSaved(ctx, j.run.saves.Add(1), len(data))
	return nil
}

// next is what a save made now reserves. It is no more than the allowance ahead of
// the time unless sinks asked for that, or runs that are killed one after the other
// would each begin further ahead; and never less than what was saved.
func (t *timestamps) next(now time.Time) int64 {
	asked := t.asked.Load()
	if t.final {
		return asked
	}
	return max(t.saved.Load(), asked, min(asked, now.UnixMicro())+allowance.Microseconds())
}
