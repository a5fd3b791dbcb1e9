package rxcql

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/rxcql/rxcql/flow"
)

// errDryRun ends a source that hands on a page in a dry run.
var errDryRun = errors.New("rxcql: only what the source reads was asked for")

// dryRun is the observer of a dry run: a source runs into it only to tell Stage.Resume what it
// reads.
type dryRun[T any] struct{}

func (dryRun[T]) Next(context.Context, *flow.Page[T]) error { return errDryRun }

func (dryRun[T]) Done(context.Context, bool) error { return nil }

// sameSources compares what the sources read with what the loaded state says, before any sink is
// opened. The comparison cannot wait for the run: a sink with a barrier cuts its file to the saved
// length as soon as it is open, and a source may begin much later, for example when it is read
// after another. So every source makes a dry run: by itself, without its operators, in an Execution
// of its own. There Stage.Resume compares, and says that everything is done, so nothing is read.
func (j *job) sameSources(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cfg := j.run.cfg
	cfg.hooks = nil // a dry run is not the run that hooks are told of
	r := newRun(ctx, j.run.root, cfg, cancel)
	r.job = &job{run: r, cfg: j.cfg, loaded: j.loaded, needsBarrier: j.needsBarrier, dryRun: true,
		barrier: semaphore.NewWeighted(allDeliveries)}
	for _, src := range j.loaded.Sources {
		r.job.sources = append(r.job.sources, &jobSource{Source: src})
	}
	for _, st := range r.order {
		if st.node.dryRun == nil {
			continue
		}
		err := st.node.dryRun(ctx, r)
		if r.failed != nil { // the source failed by itself
			return r.failed
		}
		if err != nil && !errors.Is(err, errDryRun) {
			return err
		}
	}
	return nil
}

// complete reports whether the job is already complete and is to be run once. Without RunOnce a
// complete state is not loaded.
func (j *job) complete() bool { return j.loaded != nil && j.loaded.Complete }

// leave leaves a complete job as it is, if it is of this pipeline. It saves nothing and opens no
// sink, since later steps may have changed what the job wrote. But a sink that has a result in
// memory gets it (SinkInfo.Completed).
func (j *job) leave(ctx context.Context, sink *placedSink) error {
	for _, st := range j.run.order {
		if st.Input() != nil && !j.loaded.Reads(st.name) {
			return j.foreign(fmt.Errorf("it is of a pipeline that does not read %s", st.name))
		}
	}
	var state []byte
	for i, name := range sink.Stages {
		if st := j.run.SinkStage(name); i == 0 {
			state = st.Restored()
		}
	}
	if sink.Stages != nil {
		if err := j.sameSinkNames(); err != nil {
			return j.foreign(err)
		}
	}
	if err := j.sameSources(ctx); err != nil {
		return err
	}
	for _, src := range j.loaded.Sources {
		j.run.before.Add(src.Rows)
		for _, p := range src.Parts {
			j.run.before.Add(p.Rows)
		}
	}
	if sink.Completed == nil {
		return nil
	}
	return sink.Completed(state)
}

// beginAnew is the remedy where a checkpoint is of another pipeline. A file keeps one job, so
// another name alone would be refused there.
const beginAnew = "to begin anew give the job another name, and a file of its own if its checkpoint is in a file"

// foreign returns the error that refuses what was loaded.
func (j *job) foreign(err error) error {
	return j.fail(fmt.Errorf("%w: %w; "+beginAnew, ErrCheckpointForeign, err))
}
