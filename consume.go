package rxcql

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/rxcql/rxcql/flow"
)

// errBreak ends the reading when a loop over All is left.
var errBreak = errors.New("rxcql: loop left")

// each runs the stream without a pipeline and calls fn with the rows of every page, in the calling
// goroutine.
func (s Stream[T]) each(ctx context.Context, opts []Option, fn func(rows []T) error) (Report, error) {
	cfg, err := prepare(s.node, opts, nil)
	if err == nil && cfg.checkpoint != nil {
		err = fmt.Errorf("%w: WithCheckpoint needs a pipeline with a sink: it saves what has become durable", ErrConfig)
	}
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := ownContext(ctx)
	defer cancel(nil)
	r := newRun(ctx, s.node, cfg, cancel)
	ctx = r.begun(ctx, nil)
	defer r.left(ctx)
	r.logStart(ctx, nil)
	ctx = withRetry(ctx, cfg, r)
	err = errors.Join(checkTree(ctx, s.node), cfg.rowErrors.check(ctx))
	body := &loopBody[T]{fn: fn}
	if err == nil {
		err = r.watched(ctx, func() error {
			return r.judged(ctx, func() error { return s.subscribe(ctx, r, nil, body) })
		})
		r.said = body.said
	}
	if body.panicked {
		failed := &panicError{body.value}
		r.said = failed.said()
		_, _ = r.cutShort(ctx, failed)
		panic(body.value)
	}
	if errors.Is(err, errBreak) {
		rep, err := r.cutShort(ctx, nil)
		return rep, errors.Join(errBreak, err)
	}
	return r.finish(ctx, err)
}

// loopBody runs a function of the caller for every page. A panic in it belongs to the caller: it
// continues there, unchanged, after the stream has been taken down. After runtime.Goexit the stream
// is taken down too.
type loopBody[T any] struct {
	fn       func(rows []T) error
	left     error
	said     *saying
	panicked bool
	value    any
}

func (b *loopBody[T]) Next(_ context.Context, p *flow.Page[T]) (err error) {
	if b.left != nil {
		return b.left
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if b.value = recover(); b.value != nil {
			b.panicked, b.left, err = true, errBreak, errBreak
		}
	}()
	b.left = b.fn(p.Rows)
	returned = true
	if b.left != nil && !errors.Is(b.left, errBreak) {
		b.said = say(b.left, p.Rows)
	}
	return b.left
}

func (b *loopBody[T]) Done(context.Context, bool) error { return b.left }

// often looks at ctx every 32 rows: a page may have 10,000, and the caller's
// function may be slow.
func often(ctx context.Context, row int) error {
	if row%32 == 31 && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// All reads the stream row by row:
//
//	for row, err := range stream.All(ctx) {
//		if err != nil { ... }
//	}
//
// The loop body runs in the calling goroutine. Leaving the loop stops the reading at once and
// leaves nothing behind; that includes runtime.Goexit and a panic, which continues unchanged. There
// is at most one error, and it comes last, with a zero row. To hooks and the log, a loop that was
// left is a run without an error that is not Complete, and one that a panic has left is a failure.
func (s Stream[T]) All(ctx context.Context, opts ...Option) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		_, err := s.each(ctx, opts, func(rows []T) error {
			for i, row := range rows {
				if err := often(ctx, i); err != nil {
					return err
				}
				if !yield(row, nil) {
					return errBreak
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errBreak) {
			var zero T
			yield(zero, err)
		}
	}
}

// Collect reads the whole stream into memory. On an error it returns that, and the rows read
// before.
func (s Stream[T]) Collect(ctx context.Context, opts ...Option) ([]T, error) {
	var all []T
	_, err := s.each(ctx, opts, func(rows []T) error {
		all = append(all, rows...)
		return nil
	})
	return all, err
}

// Count reads the whole stream and returns the number of its rows.
func (s Stream[T]) Count(ctx context.Context, opts ...Option) (int64, error) {
	var n int64
	_, err := s.each(ctx, opts, func(rows []T) error {
		n += int64(len(rows))
		return nil
	})
	return n, err
}

// ForEach calls fn with every row, in the calling goroutine. An error of fn ends the reading and is
// returned as it is. A panic continues unchanged, once nothing of the stream is left.
func (s Stream[T]) ForEach(ctx context.Context, fn func(T) error, opts ...Option) (Report, error) {
	return s.each(ctx, opts, func(rows []T) error {
		for i, row := range rows {
			if err := often(ctx, i); err != nil {
				return err
			}
			if err := fn(row); err != nil {
				return err
			}
		}
		return nil
	})
}
