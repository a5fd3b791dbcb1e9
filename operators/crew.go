package operators

import (
	"context"
	"sync/atomic"

	"github.com/rxcql/rxcql"
)

// crew does work in up to most goroutines, which are started as they are needed. One goroutine
// hands work over.
type crew[W any] struct {
	ctx     context.Context // of the goroutines
	group   *rxcql.TaskGroup
	worker  func() func(context.Context, W) error // makes what one goroutine does
	work    chan W
	most    int64
	started int64
	pending atomic.Int64 // handed over, and not done
}

// newCrew starts nothing yet. Up to queue pieces of work wait for a goroutine without holding up
// the one that hands them over. worker is called in each goroutine; the first error of what it
// returns ends the group.
func newCrew[W any](ctx context.Context, group *rxcql.TaskGroup, most, queue int64, worker func() func(context.Context, W) error) *crew[W] {
	return &crew[W]{ctx: ctx, group: group, worker: worker, work: make(chan W, queue), most: most}
}

// hand hands work over. It waits while too much work waits.
func (c *crew[W]) hand(ctx context.Context, w W) error {
	if c.pending.Add(1) > c.started && c.started < c.most {
		c.started++
		c.group.Go(c.run)
	}
	select {
	case c.work <- w:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close says that no more work comes.
func (c *crew[W]) close() { close(c.work) }

func (c *crew[W]) run() error {
	do := c.worker()
	for w := range c.work {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if err := do(c.ctx, w); err != nil {
			return err
		}
		c.pending.Add(-1)
	}
	return nil
}
