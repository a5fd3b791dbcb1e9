package rxcql

import (
	"context"

	"github.com/rxcql/rxcql/internal/rx"
	"github.com/rxcql/rxcql/internal/saved"
)

// behindBarrier pauses deliveries, waits until everything read is settled, has the sinks make it
// durable, and returns the positions that belong to it.
func (j *job) behindBarrier(ctx context.Context) (*saved.State, error) {
	if err := j.barrier.Acquire(ctx, allDeliveries); err != nil {
		return nil, context.Cause(ctx)
	}
	defer j.barrier.Release(allDeliveries)
	j.run.flushing.begin()
	defer j.run.flushing.end()
	if err := j.drained(ctx); err != nil {
		return nil, err
	}
	if err := j.saveSinks(ctx); err != nil {
		return nil, err
	}
	return j.state(false), nil
}

func (j *job) saveSinks(ctx context.Context) error {
	j.mu.Lock()
	sinks := j.sinks
	j.mu.Unlock()
	for _, s := range sinks {
		if err := j.saveSink(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) saveSink(ctx context.Context, s *jobSink) error {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit
			j.run.Fail(&StageError{Stage: s.stage, Err: rx.ErrExited})
		}
	}()
	err := protect(func() string { return s.stage }, func() error {
		state, err := s.save(ctx)
		if err != nil {
			return &StageError{Stage: s.stage, Err: err}
		}
		s.state = state
		return nil
	})
	returned = true
	return err
}
