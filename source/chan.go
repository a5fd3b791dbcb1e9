package source

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/stopping"
)

// comesOnce is why a source whose rows are pushed to it cannot be part of a job.
const comesOnce = "its rows come only once, and a later run cannot get them again; write them to a table or a file first, and read that in the job"

// pushedOnce is why such a source cannot be read again, and what to do instead.
const pushedOnce = "its rows come only once; repeat what failed inside of the function that fails (rxcql.Retry), or write the rows to a table or a file first"

// Chan reads a channel until it is closed. A page has the rows that are waiting, up to 512. The
// stream can be run only once; a second run fails with rxcql.ErrSingleRun. If the stream ends
// early, what is left in the channel stays there.
//
// A row is taken out of the channel only when it is wanted, so a slow downstream holds up whoever
// sends. With Buffer rows are taken out as they come, and a policy says which are dropped where
// downstream is too slow for them.
func Chan[T any](ch <-chan T, opts ...ChanOption) rxcql.Stream[T] {
	cfg := memoryConfig{pageRows: flow.DefaultPageRows}
	err := option.Apply(opts, &cfg, ChanOption.applyChan)
	if ch == nil {
		err = errors.Join(err, errors.New("the channel is nil"))
	}
	var ran atomic.Bool
	info := rxcql.StageInfo{Name: "Chan", Source: true, NotResumable: true, NotResumableReason: comesOnce, Err: err}
	info.ReadOnce, info.ReadOnceReason = true, pushedOnce
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		if ran.Swap(true) {
			return st.Fail(rxcql.ErrSingleRun)
		}
		b := newPaging(ctx, st, out, cfg.pageRows, nil)
		defer b.drop()
		if cfg.buffer == nil {
			return b.end(ctx, receive(ctx, b, ch))
		}
		h := newHot[T](st, cfg.buffer)
		return b.end(ctx, h.run(ctx, pageSize{cfg.pageRows, st.Input().PageBytes()}, func(ctx context.Context) error { return h.fill(ctx, ch) }, b.begin, func(rows []T) error {
			for _, row := range rows {
				if err := b.add(ctx, row); err != nil {
					return err
				}
			}
			return b.deliver(ctx)
		}))
	})
}

// fill puts rows of a channel into the buffer as they come, until it is closed.
func (h *hot[T]) fill(ctx context.Context, ch <-chan T) error {
	rows := make([]T, 0, flow.DefaultPageRows)
	for {
		row, open, err := h.await(ctx, ch)
		for open && err == nil {
			if rows = append(rows, row); len(rows) == cap(rows) {
				break
			}
			select {
			case row, open = <-ch:
				continue
			default:
			}
			break
		}
		if err := h.put(ctx, rows); err != nil {
			return err
		}
		clear(rows)
		rows = rows[:0]
		if err != nil || !open {
			return err
		}
	}
}

// await waits for a row.
func (h *hot[T]) await(ctx context.Context, ch <-chan T) (row T, open bool, err error) {
	select {
	case row, open = <-ch:
		return row, open, nil
	case <-ctx.Done():
		return row, false, context.Cause(ctx)
	case <-h.st.Run().Stopping():
		return row, false, stopping.Err
	}
}

// receive moves rows from the channel into pages until it is closed. A page goes on as soon as no
// more rows are waiting.
func receive[T any](ctx context.Context, b *paging[T], ch <-chan T) error {
	for {
		if err := b.interrupted(ctx); err != nil {
			return err
		}
		row, open, err := next(ctx, b, ch)
		if err != nil || !open {
			return err
		}
		if err := b.add(ctx, row); err != nil {
			return err
		}
	}
}

// next takes a row that is waiting, or else delivers the page and waits for one.
func next[T any](ctx context.Context, b *paging[T], ch <-chan T) (row T, open bool, err error) {
	select {
	case row, open = <-ch:
		return row, open, nil
	default:
	}
	if err := b.deliver(ctx); err != nil {
		return row, false, err
	}
	select {
	case row, open = <-ch:
		return row, open, nil
	case <-ctx.Done():
		return row, false, context.Cause(ctx)
	case <-b.st.Run().Stopping():
		return row, false, stopping.Err
	}
}
