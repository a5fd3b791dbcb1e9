package sink

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/rx"
)

// workers do jobs in the background, in a bounded number of goroutines that are started as they are
// needed. When the run fails they finish the jobs that they have begun (only runtime.Goexit cancels
// these); do must then leave the jobs that wait alone (over). One goroutine at a time hands jobs
// over.
type workers[J any] struct {
	st      *rxcql.Stage
	group   *rxcql.TaskGroup
	failed  *failure
	jobs    chan J
	started int
	do      func(context.Context, J) error
	ctx     context.Context // of the jobs: the context of Sink.Open
	flight  *flight
	bytes   func(J) int64
}

// newWorkers starts nothing yet. An error of do, or a panic, fails the run; do must then leave
// receipts open, and give back bytes.
func newWorkers[J any](ctx context.Context, st *rxcql.Stage, flight *flight, bytes func(J) int64, do func(context.Context, J) error) *workers[J] {
	w := &workers[J]{
		st: st, failed: newFailure(st.Run()), jobs: make(chan J, flight.limit), do: do,
		flight: flight, bytes: bytes,
	}
	w.group, w.ctx = st.TaskGroup(ctx)
	return w
}

// hand waits for room and hands a job over. If it fails the job is still the
// caller's.
func (w *workers[J]) hand(ctx context.Context, job J) error {
	if err := w.flight.acquire(ctx, w.bytes(job), w.failed.done); err != nil {
		return w.failed.or(err)
	}
	w.push(job)
	return nil
}

// room takes room for a job if a worker is free; the caller then has to push it.
func (w *workers[J]) room(job J) bool {
	return w.failed.get() == nil && w.flight.atOnce(w.bytes(job))
}

// place is room for a job that may wait for a worker.
func (w *workers[J]) place(job J) bool {
	return w.failed.get() == nil && w.flight.try(w.bytes(job))
}

func (w *workers[J]) push(job J) {
	if w.started < w.flight.workers {
		w.started++
		w.group.Go(w.work)
	}
	w.jobs <- job // there is room for as many as may be in flight
}

// work does jobs until there are no more. A panic leaves the others to do, and so does
// runtime.Goexit: then another goroutine does them. It returns no error: that would cancel the
// context of jobs in flight, as runtime.Goexit does (rxcql.TaskGroup).
func (w *workers[J]) work() error {
	returned := false
	defer func() {
		if !returned {
			w.group.Go(w.work)
		}
	}()
	for w.several() != nil {
	}
	returned = true
	return nil
}

// several does jobs until there are no more or one panics. Hundreds of these wait for the server at
// once, and each garbage collection reads all their stacks. So there are as few calls as possible
// between here and the request.
func (w *workers[J]) several() (err error) {
	var bytes int64
	busy := false
	defer func() {
		if !busy {
			return
		}
		if err == nil { // runtime.Goexit, as of a test's FailNow
			err = w.st.Fail(rx.ErrExited)
		}
		w.failed.set(err) // before anyone can see that nothing is in flight
		w.flight.release(bytes)
	}()
	defer w.st.Recover(&err)
	for job := range w.jobs {
		busy, bytes = true, w.bytes(job)
		if err := w.do(w.ctx, job); err != nil {
			w.failed.set(err)
		}
		busy = false
		w.flight.release(bytes)
	}
	return nil
}

// over returns why the run has ended, nil while it goes on. After that no job is begun.
func (w *workers[J]) over() error {
	if ctx := w.st.Run().Context(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// flush waits until every job is done.
func (w *workers[J]) flush(ctx context.Context) error {
	if err := w.failed.get(); err != nil {
		return err
	}
	return w.failed.or(w.flight.empty(ctx))
}

// close waits for the jobs in flight and for the goroutines.
func (w *workers[J]) close() error {
	close(w.jobs)
	return w.group.Wait()
}
