package source_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// The text of a row is when it happened: milliseconds since 1970.
func happened(row arrival) (time.Time, error) {
	ms, err := strconv.ParseInt(row.V, 10, 64)
	return time.UnixMilli(ms), err
}

func whenHappened(row arrival) time.Time { at, _ := happened(row); return at }

func textOf(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// counting is a job that counts the rows of a tail in tumbling windows, run by run.
type counting struct {
	store       *jobtest.Store
	size, slack time.Duration
	save        []rxcql.CheckpointOption
	fails       func() error // asked with each result; may be nil

	mu    sync.Mutex
	run   int
	table map[int64]countedRows // by when the window ends, in milliseconds
	late  map[int64]int         // by row: the run in which it was late last
	given []int64               // in this run
}

// countedRows are the rows of a window, and the run that gave it.
type countedRows struct {
	run int
	ids []int64
}

func newCounting(size, slack time.Duration, save ...rxcql.CheckpointOption) *counting {
	return &counting{
		store: &jobtest.Store{}, size: size, slack: slack, table: map[int64]countedRows{}, late: map[int64]int{},
		save: append(save, rxcql.CheckpointInterval(50*time.Millisecond)),
	}
}

// durable is up to where windows were durable when the job saved last.
func (c *counting) durable(t *testing.T) time.Time {
	t.Helper()
	if c.store.Get("job") == nil {
		return time.Time{}
	}
	state, err := c.store.State("job")
	require.NoError(t, err)
	if state.Frontiers[0].UpTo == nil {
		return time.Time{}
	}
	return time.UnixMicro(*state.Frontiers[0].UpTo)
}

// pipeline is the next run. A window that was not durable is not counted on, since it is given again.
func (c *counting) pipeline(t *testing.T, tail rxcql.Stream[arrival], opts ...rxcql.Option) *rxcql.Pipeline {
	t.Helper()
	durable := c.durable(t).UnixMilli()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run++
	c.given = nil
	maps.DeleteFunc(c.table, func(end int64, _ countedRows) bool { return durable < end })
	given := map[int64]bool{}
	once := operators.Tap(tail, func(row arrival) error {
		if given[row.ID] {
			return fmt.Errorf("row %d comes twice in one run", row.ID)
		}
		given[row.ID] = true
		c.mu.Lock()
		defer c.mu.Unlock()
		c.given = append(c.given, row.ID)
		return nil
	})
	timed := operators.EventTime(once, happened, operators.OutOfOrderness(c.slack))
	windows := operators.Window(timed, operators.Tumbling(c.size), whenHappened,
		func(arrival) int { return 0 }, func() []int64 { return nil },
		func(ids []int64, row arrival) ([]int64, error) { return append(ids, row.ID), nil },
		operators.WindowKeys(1<<20), operators.LateRows(c.isLate))
	p, err := rxcql.New(windows, sink.Each(c.upsert, sink.Idempotent(), sink.InFlight(1)),
		append(opts, rxcql.WithCheckpoint(c.store, "job", c.save...))...)
	require.NoError(t, err)
	return p
}

func (c *counting) isLate(row arrival) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late[row.ID] = c.run
	if slices.Contains(c.table[c.endOf(whenHappened(row))].ids, row.ID) {
		return fmt.Errorf("row %d was counted in a window that was given, and is late", row.ID)
	}
	return nil
}

func (c *counting) upsert(_ context.Context, w operators.WindowResult[int, []int64]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.table[w.End.UnixMilli()] = countedRows{c.run, slices.Clone(w.Value)}
	if c.fails != nil {
		return c.fails()
	}
	return nil
}

// endOf is the end of the window of a moment.
func (c *counting) endOf(at time.Time) int64 { return at.Truncate(c.size).Add(c.size).UnixMilli() }

// in are the rows that were counted in the window of a moment.
func (c *counting) in(at time.Time) []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.table[c.endOf(at)].ids))
}

// lateRows are those that were late in any run.
func (c *counting) lateRows() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.late))
}

// rows are those of this run, in the order in which they came.
func (c *counting) rows() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.given)
}

// start runs the job until the test ends, or it is killed.
func (c *counting) start(t *testing.T, tail rxcql.Stream[arrival], opts ...rxcql.Option) (kill func()) {
	t.Helper()
	p := c.pipeline(t, tail, opts...)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	ended := sync.OnceValue(func() error { cancel(errFollowed); return <-done })
	go func() {
		_, err := p.Run(ctx)
		done <- err
	}()
	t.Cleanup(func() { _ = ended() })
	return func() {
		t.Helper()
		saved := c.store.Get("job") // what is saved from here on never was
		require.ErrorIs(t, ended(), errFollowed)
		c.store.Put("job", saved)
	}
}
