package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
)

// Tee writes every row into several sinks, in one pass over the stream. Each
// page goes to the sinks one after the other, in the order given, and is
// settled when it is done with in all of them. A sink that fails fails the run;
// a slow one slows the others. Tee itself holds nothing: what the sinks hold is
// charged to each of them, so that the bytes in flight may reach what
// rxcql.Budget promises times the number of sinks that keep rows while they
// write (Each without InFlight keeps none). Its own stage counts a row once,
// Report.Written once a
// sink.
func Tee[T any](sinks ...rxcql.Sink[T]) rxcql.Sink[T] {
	t := &tee[T]{sinks: sinks}
	var errs []error
	if len(sinks) == 0 {
		errs = append(errs, errors.New("no sink is given"))
	}
	for i, s := range sinks {
		if s == nil {
			errs = append(errs, fmt.Errorf("sink %d is nil", i+1))
		} else if c, ok := s.(rxcql.Configured); ok {
			errs = append(errs, c.ConfigError())
		}
	}
	t.err = stageError("sink.Tee", errs...)
	return t
}

type tee[T any] struct {
	sinks []rxcql.Sink[T]
	err   error
}

// ConfigError reports what is wrong with the arguments; see rxcql.Configured.
func (t *tee[T]) ConfigError() error { return t.err }

// NeedsAdjacent: as any of the sinks does; see rxcql.Adjacent.
func (t *tee[T]) NeedsAdjacent() (names []string) {
	for _, s := range t.sinks {
		names = append(names, needsAdjacent(s)...)
	}
	return names
}

// Resume: as all sinks together; see rxcql.Resumer.
func (t *tee[T]) Resume() rxcql.ResumeInfo { return t.ResumeBeside(false) }

// ResumeBeside: a barrier that one sink needs is met by all; see
// rxcql.ResumeInfoBeside.
func (t *tee[T]) ResumeBeside(barrier bool) rxcql.ResumeInfo {
	for _, s := range t.sinks {
		barrier = barrier || rxcql.ResumeInfoOf(s).Barrier
	}
	all := rxcql.ResumeInfo{Barrier: barrier, Stages: []string{"Tee"}}
	known := true
	for _, s := range t.sinks {
		info := rxcql.ResumeInfoBeside(s, barrier)
		all.Err = errors.Join(all.Err, info.Err)
		all.Stages = append(all.Stages, info.Stages...)
		known = known && info.Stages != nil
	}
	if !known {
		all.Stages = nil
	}
	return all
}

func (t *tee[T]) Check(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	var errs []error
	for _, s := range t.sinks {
		errs = append(errs, s.Check(ctx))
	}
	return errors.Join(errs...)
}

func (t *tee[T]) Open(ctx context.Context, r *rxcql.Run) (rxcql.Writer[T], error) {
	if t.err != nil {
		return nil, t.err
	}
	w := &teeWriter[T]{st: r.SinkStage("Tee")}
	for i, s := range t.sinks {
		err := w.st.Protect(func() error {
			branch, err := s.Open(ctx, r)
			if err == nil && branch == nil {
				err = fmt.Errorf("sink %d gave no Writer and no error", i+1)
			}
			if err == nil {
				w.branches = append(w.branches, branch)
			}
			return err
		})
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

type teeWriter[T any] struct {
	st       *rxcql.Stage
	branches []rxcql.Writer[T]
}

// Write stops at the first branch that fails: the page stays unsettled.
func (w *teeWriter[T]) Write(ctx context.Context, p *rxcql.Page[T]) error {
	w.st.Took(len(p.Rows))
	for _, b := range w.branches {
		if err := b.Write(ctx, p); err != nil {
			return err
		}
	}
	w.st.Passed(len(p.Rows))
	return nil
}

func (w *teeWriter[T]) Flush(ctx context.Context) error {
	return w.all(func(b rxcql.Writer[T]) error { return b.Flush(ctx) })
}

func (w *teeWriter[T]) Close() error {
	return w.all(func(b rxcql.Writer[T]) error { return b.Close() })
}

// all calls every branch, whatever the others do.
func (w *teeWriter[T]) all(call func(rxcql.Writer[T]) error) error {
	var errs []error
	for _, b := range w.branches {
		errs = append(errs, w.st.Protect(func() error { return call(b) }))
	}
	return errors.Join(errs...)
}
