package operators

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/rx"
)

const (
	// mostCalls is the most calls at once that MapConcurrent can be asked for.
	mostCalls = 1 << 20
	// aheadOfOldest is how many rows for each call MapConcurrent holds where it
	// keeps the order, so that one slow call does not leave the others idle.
	aheadOfOldest = 4
)

// MapConcurrentOption is an option of MapConcurrent.
type MapConcurrentOption interface{ applyConcurrent(*concurrentConfig) error }

type concurrentConfig struct{ unordered bool }

type unordered struct{}

// Unordered hands results on as they come instead of in the order of the rows:
// no result waits for a slower one.
func Unordered() MapConcurrentOption { return unordered{} }

func (unordered) applyConcurrent(c *concurrentConfig) error {
	c.unordered = true
	return nil
}

// MapConcurrent calls fn with every row, up to n calls at once, and hands on the
// results: for whatever waits for something else, such as a query a row. n may
// be in the ten thousands, 1,048,576 at most. fn is called by many goroutines; its ctx ends as soon
// as its result is no longer wanted: with the run, with the first error, or when
// the stream is ended from downstream. fn must obey it, because it is waited for.
//
// Results are in the order of the rows unless Unordered is given; then rows of
// one partition no longer arrive together. They go on as soon as they are there,
// those that have gathered meanwhile in one page. It holds up to 4n rows and
// results (with Unordered, n), and as many again that are being handed on, all
// charged to the budget; a budget with room for fewer lowers the number of calls.
// Rows wait upstream when downstream is slow. The stream before it runs in a
// goroutine of its own; up to n more are started as they are needed.
//
// It is resumable; rows that were at work are called for again, and in a job fn must
// keep no state from row to row (see Map). An error of fn is
// that row's (rxcql.WithRowErrors): by default the first ends the stream at once,
// and results that have not gone on by then do not; else the row is left out. What
// may pass (rxcql.MayPass) is never the row's, and ends the stream: for fn to be
// called again is not the toolkit's to decide, so let fn use rxcql.Retry where
// repeating does no harm.
func MapConcurrent[T, U any](in rxcql.Stream[T], n int, fn func(ctx context.Context, row T) (U, error), opts ...MapConcurrentOption) rxcql.Stream[U] {
	var cfg concurrentConfig
	errs := []error{
		atLeast("n", int64(n), 1), required("the function", fn == nil),
		option.Apply(opts, &cfg, MapConcurrentOption.applyConcurrent),
	}
	if n > mostCalls {
		errs = append(errs, fmt.Errorf("n is %d: must be at most %d", n, mostCalls))
	}
	info := rxcql.StageInfo{
		Name: "MapConcurrent", OneToOne: !cfg.unordered, MixesRows: cfg.unordered,
		Err: errors.Join(errs...),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[U]) error {
		f := newConcurrency(st, n, fn, cfg.unordered)
		f.limit = flow.DemandOf(out)
		var failed error
		err := rx.Transport(ctx, 1, func(ctx context.Context, send func(struct{}) error) error {
			failed = f.run(ctx, in, func() error { return send(struct{}{}) })
			return failed
		}, func(struct{}) error { return f.deliver(ctx, out) }, nil)
		err = failure(err, failed)
		f.end(err)
		if err != nil {
			return err
		}
		return out.Done(ctx, f.stopped)
	}, in)
}
