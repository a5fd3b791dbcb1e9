package source

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// comesOnce is why a source whose rows are pushed to it cannot be part of a job.
const comesOnce = "its rows come only once, and a later run cannot get them again; write them to a table or a file first, and read that in the job"

// pushedOnce is why such a source cannot be read again, and what to do instead.
const pushedOnce = "its rows come only once; repeat what failed inside of the function that fails (rxcql.Retry), or write the rows to a table or a file first"

// Chan reads a channel until it is closed. A page has the rows that are waiting, up to 512. The
// stream can be run only once; a second run fails with rxcql.ErrSingleRun. If the stream ends
// early, what is left in the channel stays there.
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
		b := newPaging(st, out, cfg.pageRows, nil)
		defer b.drop()
		return b.end(ctx, receive(ctx, b, ch))
	})
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
		return row, false, errStopped
	}
}
