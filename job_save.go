package rxcql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rxcql/rxcql/internal/rx"
	"github.com/rxcql/rxcql/internal/saved"
)

// lastSave is how long the save at the end of a run may take, also after a cancel.
const lastSave = 30 * time.Second

// withJob calls check and runs launch. If the pipeline has a checkpoint, it does so as a job: it
// locks the job, saves while launch runs and at the end, and unlocks the job. For a complete job
// that is to be left as it is, neither check nor launch is called.
func (r *Execution) withJob(ctx context.Context, sinks sinkTree, check, launch func() error) (err error) {
	if r.cfg.checkpoint == nil {
		if err := check(); err != nil {
			return err
		}
		return launch()
	}
	if r.job, err = openJob(ctx, r, len(sinks.barriers()) > 0); err != nil {
		return err
	}
	defer func() {
		if unlocking := r.job.lock.Unlock(); unlocking != nil {
			err = errors.Join(err, r.job.fail(unlocking))
		}
	}()
	if r.job.complete() {
		return r.job.leave(ctx, sinks.top())
	}
	if err := check(); err != nil {
		return err
	}
	if r.job.loaded != nil && r.job.needsBarrier {
		if err := r.job.sameSources(ctx); err != nil {
			return err
		}
	}
	err = launch()
	return errors.Join(err, r.job.end(ctx, err))
}

// during runs read, which reads the whole stream into the open sink, and saves meanwhile. With a
// barrier, the sink has said where its output ends when during returns.
func (j *job) during(ctx context.Context, read func() error) error {
	if err := j.opened(ctx); err != nil {
		return err
	}
	j.open = true
	stop := make(chan struct{})
	var saving sync.WaitGroup
	lost := j.lock.Lost()
	saving.Go(func() {
		returned := false
		defer func() {
			if !returned { // runtime.Goexit in the store, or where a sink saves
				j.run.Fail(j.fail(rx.ErrExited))
			}
		}()
		j.keepSaving(ctx, stop)
		returned = true
	})
	saving.Go(func() {
		select {
		case <-lost:
			j.run.Fail(j.fail(ErrCheckpointLost))
		case <-stop:
		}
	})
	ended := sync.OnceFunc(func() {
		close(j.read)
		close(stop)
		saving.Wait()
	})
	defer ended() // also where a function of the user's ends the goroutine
	err := read()
	j.run.rowErrors.letters.idle(ctx) // they settle pages too
	ended()
	if err == nil && j.needsBarrier {
		_, err = j.behindBarrier(ctx)
	}
	return err
}

// opened is called when the sink is open and nothing has been read. The first save shows at once
// that saving works and that the lock is still ours. Only after that is a sink with a barrier asked
// for its state, so before that it cuts nothing off.
func (j *job) opened(ctx context.Context) error {
	if j.loaded != nil {
		if err := j.sameSinks(); err != nil {
			return j.foreign(err)
		}
	}
	if err := j.write(ctx, j.state(false)); err != nil || !j.needsBarrier {
		return err
	}
	return j.save(ctx)
}

// sameSinks compares the sinks, and the stages that leave snapshots, with those of the run before.
func (j *job) sameSinks() error {
	if err := j.sameSinkNames(); err != nil {
		return err
	}
	for i, st := range j.run.sinkStages() {
		if err := same(j.loaded.Sinks[i].Facts, st.facts); err != nil {
			return fmt.Errorf("%s: %w", st.name, err)
		}
	}
	if was, is := j.loaded.Folds, j.run.folds(); !slices.Equal(was, is) {
		return fmt.Errorf("it is of a pipeline that folds by %q, and this one by %q", was, is)
	}
	return j.sameFrontiers()
}

func (j *job) sameSinkNames() error {
	sinks, before := j.run.sinkStages(), j.loaded.Sinks
	if len(sinks) != len(before) {
		return fmt.Errorf("it is of a pipeline that writes to %d sinks, and this one to %d", len(before), len(sinks))
	}
	for i, st := range sinks {
		if st.name != before[i].Stage {
			return fmt.Errorf("it is of a pipeline with other sinks: that one writes to %s, and this one to %s", before[i].Stage, st.name)
		}
	}
	return nil
}

// keepSaving saves until stop is closed. The first failure ends the run: nothing
// goes on without a checkpoint.
func (j *job) keepSaving(ctx context.Context, stop <-chan struct{}) {
	ticker := time.NewTicker(j.cfg.every)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
			j.run.calling("WithLogger", func() { j.logHeld(ctx) }) // the handler is the user's
			if err := j.save(ctx); err != nil {
				if ctx.Err() == nil && !errors.Is(err, ErrUnsettled) {
					j.run.Fail(err)
				}
				return
			}
		}
	}
}

// save saves what is settled, behind a barrier if a sink needs one.
func (j *job) save(ctx context.Context) error {
	if !j.needsBarrier {
		return j.write(ctx, j.state(false))
	}
	state, err := j.behindBarrier(ctx)
	if err != nil {
		return err
	}
	return j.write(ctx, state)
}

// write saves a state, unless that was saved last, or may have pages in it that were dropped for an
// end that is none.
func (j *job) write(ctx context.Context, s *saved.State) error {
	if err := j.saving.Acquire(ctx, 1); err != nil {
		return j.fail(context.Cause(ctx))
	}
	defer j.saving.Release(1)
	if j.run.endsInDoubt() {
		return nil
	}
	data, err := saved.Encode(s)
	if err != nil {
		return j.fail(err)
	}
	if bytes.Equal(data, j.last) {
		return nil
	}
	if err := j.put(ctx, s); err != nil {
		return err
	}
	j.last = data
	return nil
}

// end makes the last save, when everything in the run has ended with err. After a failure, a job
// with a barrier stays at the save before.
func (j *job) end(ctx context.Context, err error) error {
	if !j.open || err != nil && j.needsBarrier || errors.Is(err, ErrCheckpointLost) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer cancel()
	j.stamps.final = true
	return j.write(ctx, j.state(err == nil && j.run.whole()))
}

func (j *job) fail(err error) error { return fmt.Errorf("checkpoint of job %q: %w", j.cfg.job, err) }
