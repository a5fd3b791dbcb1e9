package operators

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Take hands on the first n rows, and ends the stream as soon as the last of them has been handed
// on, without waiting for another row. Take(0) reads nothing at all. The report of the run is then
// not Complete, and EndedBy names the stage. Rows that came in the same page after the last one
// count as filtered.
//
// The limit reaches the source through operators that give one row for each row (Map, Scan, Tap,
// MapConcurrent, Skip, ...). With n up to 5,000 a table is then read one range at a time, without
// reading ahead, in pages no larger than n.
//
// Order is kept; rows go on a page at a time; it holds nothing. It is not resumable.
func Take[T any](in rxcql.Stream[T], n int64) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Take", Synchronous: true, NotResumable: true, NotResumableReason: "it would take its n rows once more when the job goes on; read that many by source.Query with a LIMIT", Drops: true, Err: atLeast("n", n, 0)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		if n == 0 {
			if err := out.Done(ctx, false); err != nil {
				return err
			}
			return st.End()
		}
		return in.Subscribe(ctx, st, &taking[T]{st: st, out: out, left: n})
	}, in)
}

func atLeast(what string, n, least int64) error {
	if n < least {
		return fmt.Errorf("%s is %d: must be at least %d", what, n, least)
	}
	return nil
}

type taking[T any] struct {
	st   *rxcql.Stage
	out  flow.Observer[T]
	left int64
}

func (t *taking[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if int64(len(p.Rows)) < t.left {
		t.left -= int64(len(p.Rows))
		return flow.HandOn(ctx, p, p.Rows, t.out)
	}
	rows := p.Rows[:t.left]
	t.left = 0
	if err := flow.HandOn(ctx, p, rows, t.out); err != nil {
		return err
	}
	if err := t.out.Done(ctx, false); err != nil {
		return err
	}
	return t.st.End()
}

func (t *taking[T]) Done(ctx context.Context, stopped bool) error {
	return t.out.Done(ctx, stopped)
}

// Demand is the number of rows left, or fewer if downstream wants fewer.
func (t *taking[T]) Demand() int64 {
	if out := flow.DemandOf(t.out); out > 0 {
		return min(t.left, out)
	}
	return t.left
}
