package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// countStage is the name of the stage that counts.
const countStage = "Count"

// counting is the sink of a count. It cannot bear a row twice, so it has a barrier: a save has the
// numbers of exactly the rows that are settled.
type counting struct {
	table   string // quoted
	cfg     countConfig
	tallies *tallies
	mu      sync.Mutex // of tallies: a save is made in another goroutine
}

func (c *counting) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Barrier: true, Stages: []string{countStage}, Completed: c.completed}
}

// completed takes the numbers of a count that is complete. Here it is the only one that compares
// the options: a sink that is not opened has told the run nothing of them.
func (c *counting) completed(data []byte) error {
	if err := c.restore(data); err != nil {
		return err
	}
	if was, is := c.tallies.saved.Options, c.options(); was != is {
		c.tallies.saved = savedCount{}
		return fmt.Errorf("%w: the count is complete, with the options %q and not %q; give those again, or count anew as another job",
			rxcql.ErrCheckpointForeign, was, is)
	}
	return nil
}

// options are those that the numbers depend on.
func (c *counting) options() string {
	return fmt.Sprintf("ranges %t, sizes %t, largest %d", c.cfg.ranges, c.cfg.sizes, c.cfg.largest)
}

// restore takes what an earlier run has counted; nil if there was none.
func (c *counting) restore(data []byte) error {
	if data == nil {
		return nil
	}
	if err := json.Unmarshal(data, &c.tallies.saved); err != nil {
		return fmt.Errorf("%w: what was counted cannot be read", rxcql.ErrCheckpointDamaged)
	}
	return nil
}

func (c *counting) Check(context.Context) error { return nil }

func (c *counting) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[rxcql.Row], error) {
	st := r.SinkStage(countStage)
	st.Identify(rxcql.Fact{Name: "counted", Value: c.table},
		rxcql.Fact{Name: "options", Value: c.options()})
	if err := c.restore(st.Restored()); err != nil {
		return nil, st.Fail(err)
	}
	c.tallies.saved.Options = c.options() // those before were the same: the run compares facts
	st.OnSave(func(context.Context) ([]byte, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return json.Marshal(c.tallies.saved)
	})
	return &countWriter{st, c}, nil
}

// report adds what was counted to a report.
func (c *counting) report(r CountReport) CountReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tallies.report(&r)
	return r
}

// countWriter counts a page at a time, and is done with it when Write returns.
type countWriter struct {
	st *rxcql.Stage
	to *counting
}

func (w *countWriter) Write(ctx context.Context, p *flow.Page[rxcql.Row]) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.st.CountIn(len(p.Rows))
	if p.Range == flow.AllParts {
		return nil
	}
	tokens, known := p.Tokens()
	if !known {
		tokens = flow.WholeRange
	}
	w.to.mu.Lock()
	w.to.tallies.add(tokens, p.Torn(), p.Rows, p.Last)
	w.to.mu.Unlock()
	w.st.CountWritten(len(p.Rows))
	return nil
}

func (w *countWriter) Flush(context.Context) error { return nil }

func (w *countWriter) Close() error { return nil }
