package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
)

// branches are the sinks that a Tee or a Route hands rows to.
type branches[T any] struct {
	name  string // of the sink that they are in
	sinks []rxcql.Sink[T]
	err   error
}

// newBranches checks the sinks. errs is what else is wrong with the sink that they are in.
func newBranches[T any](name string, sinks []rxcql.Sink[T], errs ...error) branches[T] {
	if len(sinks) == 0 {
		errs = append(errs, errors.New("no sink is given"))
	}
	for i, s := range sinks {
		if s == nil {
			errs = append(errs, fmt.Errorf("sink %d is nil", i+1))
		}
	}
	return branches[T]{name: name, sinks: sinks, err: stageError("sink."+name, errs...)}
}

// Info: they can do together what all of them can do.
func (b *branches[T]) Info() rxcql.SinkInfo {
	info := rxcql.SinkInfo{Err: b.err, Resumable: true, Stages: []string{b.name}}
	known := true
	for _, s := range b.sinks {
		if s == nil {
			continue // reported as an error
		}
		stages := s.Info().Stages
		known = known && stages != nil
		info.Stages = append(info.Stages, stages...)
		info.Sinks = append(info.Sinks, s)
	}
	if !known {
		info.Stages = nil
	}
	return info
}

func (b *branches[T]) Check(ctx context.Context) error {
	if b.err != nil {
		return b.err
	}
	ctx, tables := withCensus(ctx)
	var errs []error
	all := make([][]*counted, len(b.sinks))
	for i, s := range b.sinks {
		var err error
		all[i], err = tables.during(func() error { return s.Check(ctx) })
		errs = append(errs, err)
	}
	_, err := together(b.name, all)
	return errors.Join(append(errs, stageError("sink."+b.name, err))...)
}

// open opens the sinks, in their order, under a stage of their own. After an error those that are
// open are closed again.
func (b *branches[T]) open(ctx context.Context, r *rxcql.Execution) (*branchWriters[T], error) {
	if b.err != nil {
		return nil, b.err
	}
	w := &branchWriters[T]{st: r.SinkStage(b.name)}
	ctx, tables := withCensus(ctx)
	opened := make([][]*counted, len(b.sinks))
	for i, s := range b.sinks {
		err := w.st.Protect(func() (err error) {
			var branch rxcql.Writer[T]
			opened[i], err = tables.during(func() (err error) {
				branch, err = s.Open(ctx, r)
				return err
			})
			if err == nil && branch == nil {
				err = fmt.Errorf("the Open of sink %d returned no Writer and no error", i+1)
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
	groups, err := together(b.name, opened)
	if err != nil {
		return nil, errors.Join(stageError("sink."+b.name, err), w.Close())
	}
	w.groups = groups
	return w, nil
}

// branchWriters are the sinks in one run.
type branchWriters[T any] struct {
	st       *rxcql.Stage
	branches []rxcql.Writer[T]
	groups   [][]int // which of them write one table
}

func (w *branchWriters[T]) Flush(ctx context.Context) error {
	return w.all(func(b rxcql.Writer[T]) error { return b.Flush(ctx) })
}

func (w *branchWriters[T]) Close() error {
	return w.all(func(b rxcql.Writer[T]) error { return b.Close() })
}

// all calls every branch, even if others fail.
func (w *branchWriters[T]) all(call func(rxcql.Writer[T]) error) error {
	var errs []error
	for _, b := range w.branches {
		errs = append(errs, w.st.Protect(func() error { return call(b) }))
	}
	return errors.Join(errs...)
}
