package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/rx"
)

// BufferOption is an option of Buffer.
type BufferOption interface{ applyBuffer(*bufferConfig) error }

type bufferConfig struct{ bytes int64 }

type bufferBytes int64

// BufferBytes is how many bytes the rows of a Buffer take at most, as rows in memory. A row that is
// larger waits alone. Default: a quarter of the budget of the run (rxcql.WithBudget).
func BufferBytes(n int64) BufferOption { return bufferBytes(n) }

func (n bufferBytes) applyBuffer(c *bufferConfig) error {
	c.bytes = int64(n)
	return atLeast("BufferBytes", int64(n), 1)
}

// Buffer puts up to n rows between an upstream that goes on and a downstream that is slow. overflow
// says what happens to a row for which there is no room, because n rows wait or their bytes are too
// many (BufferBytes):
//
//   - rxcql.OverflowBlock: upstream waits.
//   - rxcql.OverflowDropOldest, OverflowDropNewest: the rows that have waited longest are dropped,
//     or those that come.
//   - rxcql.OverflowLatest: all rows but the newest are dropped, whatever n is.
//   - rxcql.OverflowFail: the stream ends with rxcql.ErrOverflow.
//
// A page with more rows than there is room for overflows too, even if downstream waits. Rows that
// are dropped are counted (Report.Overflowed), hooks are told (Hooks.RowsDropped), and their part
// of the page counts as settled.
//
// Order is kept, and so are pages and their parts: rows of one page go on together, less those that
// were dropped. It holds n rows, charged to the budget, and a page that is being handed on. The
// stream before it runs in a goroutine of its own, and is not told of a limit downstream (Take): it
// reads ahead, and what is in the buffer when the stream ends early is dropped. What waits goes on
// after Pipeline.Stop, and before an error of the stream before it.
//
// With rxcql.OverflowBlock it is resumable. With the other policies it is not: which rows are
// dropped depends on the moment, and a job that goes on would drop others. A source that pushes its
// rows overflows better where they come in; see source.Buffer.
func Buffer[T any](in rxcql.Stream[T], n int, overflow rxcql.Overflow, opts ...BufferOption) rxcql.Stream[T] {
	var cfg bufferConfig
	info := rxcql.StageInfo{
		Name: "Buffer", NotResumable: overflow != rxcql.OverflowBlock,
		NotResumableReason: "which rows it drops depends on the moment, and a run that goes on would drop others; " +
			"give rxcql.OverflowBlock, or write all rows to a table and thin them out in a run without a checkpoint",
		Err: errors.Join(atLeast("n", int64(n), 1), overflow.Valid(), option.Apply(opts, &cfg, BufferOption.applyBuffer)),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		b := newBuffering[T](st, n, cfg.bytes, overflow)
		err := ending(func() error {
			var failed error
			err := rx.Transport(ctx, 1, func(ctx context.Context, send func(struct{}) error) error {
				b.tell = func() error { return send(struct{}{}) }
				failed = in.Subscribe(ctx, st, b)
				return failed
			}, func(struct{}) error { return b.deliver(ctx, out) }, nil)
			return rxcql.FirstFailure(err, failed)
		}, b.end)
		if err != nil {
			return err
		}
		return out.Done(ctx, b.stopped)
	}, in)
}
