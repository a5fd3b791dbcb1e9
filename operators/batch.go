package operators

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// BatchOption bounds the batches of Batch.
type BatchOption interface{ applyBatch(*batchConfig) error }

type batchConfig struct {
	count  int
	bytes  int64
	linger time.Duration
}

type (
	maxCount  int
	maxBytes  int64
	maxLinger time.Duration
)

// BatchRows ends a batch with its n-th row.
func BatchRows(n int) BatchOption { return maxCount(n) }

// BatchBytes ends a batch before it would take more than n bytes, as rows in memory. A row that is
// larger is a batch of its own.
func BatchBytes(n int64) BatchOption { return maxBytes(n) }

// BatchLinger ends a batch at the latest when d has passed since its first row came.
func BatchLinger(d time.Duration) BatchOption { return maxLinger(d) }

func (n maxCount) applyBatch(c *batchConfig) error {
	c.count = int(n)
	return atLeast("BatchRows", int64(n), 1)
}

func (n maxBytes) applyBatch(c *batchConfig) error {
	c.bytes = int64(n)
	return atLeast("BatchBytes", int64(n), 1)
}

func (d maxLinger) applyBatch(c *batchConfig) error {
	c.linger = time.Duration(d)
	if d <= 0 {
		return fmt.Errorf("BatchLinger(%v): must be more than 0", time.Duration(d))
	}
	return nil
}

// Batch gathers rows into slices, bounded by BatchRows, BatchBytes, BatchLinger or several of them:
// the bound that is reached first ends the batch. At least one must be given. Each slice is made
// for its receiver, who may keep and change it.
//
// Order is kept. Batches that a page completes go on together. What is left goes on when the stream
// ends, also when it is stopped early. Batches cross the borders of pages and ranges.
//
// Batch holds the rows of the one batch that is not complete, charged to the budget. A batch that
// the budget has no room for is a flow.BudgetHeldError, except with BatchLinger, which hands it on
// in time.
//
// It is resumable; after a restart the borders between batches are others. Without BatchLinger it
// cannot stand before a sink that writes a file. With BatchLinger the stream before it runs in a
// goroutine of its own; without, there is none.
func Batch[T any](in rxcql.Stream[T], opts ...BatchOption) rxcql.Stream[[]T] {
	var cfg batchConfig
	errs := []error{option.Apply(opts, &cfg, BatchOption.applyBatch)}
	if len(opts) == 0 {
		errs = append(errs, errors.New("no bound: give BatchRows, BatchBytes or BatchLinger"))
	}
	info := rxcql.StageInfo{Name: "Batch", MixesRows: true, HoldsRows: cfg.linger == 0, LingersOnRows: cfg.linger > 0, Err: errors.Join(errs...)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]T]) error {
		b := newBatching(st, cfg, out)
		return ending(func() error {
			if cfg.linger > 0 {
				return b.timed(ctx, st, in)
			}
			return in.Subscribe(ctx, st, b)
		}, b.giveUp)
	}, in)
}

// timed runs the stream into the batches in another goroutine, and a clock in a third.
func (b *batching[T]) timed(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[T]) error {
	b.timer = newTimer()
	flush, forget := st.FlushRequests()
	defer forget()
	return clocked(ctx, st, in, flow.Observer[T](b), clock{timer: b.timer, expire: b.expire, flushes: flush, flush: b.flush}, nil)
}
