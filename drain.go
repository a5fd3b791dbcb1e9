package rxcql

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql/flow"
)

// drain runs a stream into a sink. The writer is closed in every case.
func drain[T any](ctx context.Context, r *Execution, stream Stream[T], sink Sink[T]) (err error) {
	writeCtx, stop := graceful(ctx, r.cfg.grace)
	defer stop()
	var w Writer[T]
	err = protect(r.sinkName, func() (err error) {
		w, err = sink.Open(writeCtx, r)
		return err
	})
	if err != nil {
		return err
	}
	if w == nil {
		return &StageError{Stage: r.sinkName(), Err: errors.New("the sink's Open returned no Writer and no error")}
	}
	defer func() {
		if closing := protect(r.sinkName, w.Close); closing != nil {
			err = errors.Join(err, closing)
		}
	}()
	read := func() error { return stream.subscribe(ctx, r, nil, &writing[T]{w: w, name: r.sinkName}) }
	if r.job != nil {
		return r.job.during(ctx, read)
	}
	return read()
}

// sinkName is the name under which a panic in the sink is reported: the name of its stage, if it
// opened exactly one.
func (r *Execution) sinkName() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sinks) == 1 {
		return r.sinks[0].name
	}
	return sinkName()
}

func sinkName() string { return "Sink" }

// writing is the end of a pipeline: pages go to the writer.
type writing[T any] struct {
	w    Writer[T]
	name func() string
}

func (o *writing[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	return protect(o.name, func() error { return o.w.Write(ctx, p) })
}

func (o *writing[T]) Done(ctx context.Context, _ bool) error {
	return protect(o.name, func() error { return o.w.Flush(ctx) })
}
