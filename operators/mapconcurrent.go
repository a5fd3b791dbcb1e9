package operators

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

const (
	// mostCalls is the most calls at once that MapConcurrent can be asked for.
	mostCalls = 1 << 20
	// aheadOfOldest is how many rows MapConcurrent holds for each call if it keeps the order, so
	// that one slow call does not leave the others idle.
	aheadOfOldest = 4
)

// MapConcurrentOption is an option of MapConcurrent.
type MapConcurrentOption interface{ applyConcurrent(*concurrentConfig) error }

type concurrentConfig struct{ unordered bool }

type unordered struct{}

// OrderOption is an option of MapConcurrent and of Lookup.
type OrderOption interface {
	MapConcurrentOption
	LookupOption
}

// Unordered hands results on as they come instead of in the order of the rows: no result waits for
// a slower one.
func Unordered() OrderOption { return unordered{} }

func (unordered) applyConcurrent(c *concurrentConfig) error {
	c.unordered = true
	return nil
}

// MapConcurrent calls fn with every row, up to n calls at once, and hands on the results. It is for
// functions that wait for something, such as a query for each row. n may be in the tens of
// thousands; the maximum is 1,048,576. fn is called by many goroutines. Its ctx ends as soon as its
// result is no longer wanted: with the run, with the first error, or when the stream is ended from
// downstream. fn must obey ctx, because the run waits for fn.
//
// Order: results are in the order of the rows, unless Unordered is given; then rows of one
// partition no longer arrive together. Results go on as soon as they are ready, in pages of what
// has gathered meanwhile.
//
// Memory: it holds up to 4n rows and results (n with Unordered), and as many again that are being
// handed on, all charged to the budget. If the budget has room for fewer, fewer calls are made at
// once. When downstream is slow, rows wait upstream. The stream before MapConcurrent runs in a
// goroutine of its own; up to n more are started as they are needed.
//
// It is resumable: fn is called again for rows that were at work. In a job fn must keep no state
// from row to row (see Map).
//
// An error of fn belongs to its row (rxcql.WithRowErrors). By default the first one ends the stream
// at once, and results that have not gone on by then are dropped; else the row is left out. An
// error that may pass (rxcql.MayPass) never belongs to the row, and ends the stream. The toolkit
// does not call fn again by itself; use rxcql.Retry in fn if repeating does no harm.
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
		window := int64(n)
		if !cfg.unordered {
			window *= aheadOfOldest
		}
		f := newConcurrency[T, U](st, int64(n), window, cfg.unordered)
		err := f.run(ctx, in, out, func(ctx context.Context, group *rxcql.TaskGroup) calls[T, U] {
			m := &mapCalls[T, U]{rows: f, fn: fn}
			m.crew = newCrew(ctx, group, f.calls, min(f.window, 2*flow.DefaultPageRows), func() func(context.Context, job[T, U]) error { return m.call })
			return m
		})
		if err != nil {
			return err
		}
		return out.Done(ctx, f.stopped)
	}, in)
}

// mapCalls calls fn with each row.
type mapCalls[T, U any] struct {
	rows *concurrency[T, U]
	fn   func(context.Context, T) (U, error)
	crew *crew[job[T, U]]
}

func (m *mapCalls[T, U]) take(ctx context.Context, row T, of *inputPage[U], index int) error {
	return m.crew.hand(ctx, job[T, U]{row: m.rows.keep(row), of: of, index: index})
}

func (m *mapCalls[T, U]) close() { m.crew.close() }

func (m *mapCalls[T, U]) call(ctx context.Context, j job[T, U]) error {
	result, err := m.fn(ctx, j.row)
	return m.rows.conclude(ctx, j, result, err, true)
}
