package rxcql

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// errBreak ends the reading when a loop over All is left.
var errBreak = errors.New("rxcql: loop left")

// each runs the stream without a pipeline and calls fn with the rows of every
// page, in the calling goroutine.
func (s Stream[T]) each(ctx context.Context, opts []Option, fn func(rows []T) error) (Report, error) {
	if s.node == nil {
		return Report{}, fmt.Errorf("%w: the stream is the zero Stream; make one with package source", ErrConfig)
	}
	cfg, err := prepare(s.node, opts)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := newRun(s.node, cfg, cancel)
	err = checkTree(ctx, s.node)
	if err == nil {
		err = s.subscribe(ctx, r, reading[T](fn))
	}
	if errors.Is(err, errBreak) {
		return r.report(), errBreak
	}
	return r.finish(ctx, err)
}

// reading is an observer without an end of its own.
type reading[T any] func(rows []T) error

func (fn reading[T]) Next(_ context.Context, p *Page[T]) error { return fn(p.Rows) }

func (fn reading[T]) Done(context.Context, bool) error { return nil }

// All reads the stream row by row:
//
//	for row, err := range stream.All(ctx) {
//		if err != nil { ... }
//	}
//
// The loop body runs in the calling goroutine. Leaving the loop stops the
// reading at once and leaves nothing behind. An error, at most one, comes last,
// with a zero row.
func (s Stream[T]) All(ctx context.Context, opts ...Option) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var body struct {
			panicked bool
			value    any
		}
		_, err := s.each(ctx, opts, func(rows []T) (err error) {
			body.panicked = true
			defer func() {
				// A panic of the loop's body is the caller's own: it goes on
				// there, after the stream has been taken down.
				if body.panicked {
					if body.value = recover(); body.value != nil {
						err = errBreak
					}
				}
			}()
			for _, row := range rows {
				if !yield(row, nil) {
					err = errBreak
					break
				}
			}
			body.panicked = false
			return err
		})
		if body.panicked {
			panic(body.value)
		}
		if err != nil && !errors.Is(err, errBreak) {
			var zero T
			yield(zero, err)
		}
	}
}

// Collect reads the whole stream into memory. On an error it returns the rows
// read before it, and the error.
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

// ForEach calls fn with every row, in the calling goroutine. An error of fn
// ends the reading and is returned as it is; a panic is too.
func (s Stream[T]) ForEach(ctx context.Context, fn func(T) error, opts ...Option) (Report, error) {
	return s.each(ctx, opts, func(rows []T) error {
		for _, row := range rows {
			if err := fn(row); err != nil {
				return err
			}
		}
		return nil
	})
}
