package sink_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// requests is a stage of a user's: it sends a request for each row in the context of the row's
// page, and leaves out those that fail.
type requests struct {
	flow.Observer[event]
	st *rxcql.Stage
}

func (o requests) Next(ctx context.Context, p *flow.Page[event]) error {
	if err := o.send(ctx, p); err != nil {
		return err
	}
	return o.Observer.Next(ctx, p)
}

func (o requests) send(ctx context.Context, p *flow.Page[event]) error {
	good := p.Rows[:0]
	for i, row := range p.Rows {
		select {
		case <-time.After(time.Second):
			good = append(good, row)
		case <-ctx.Done():
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: row, Err: errors.New("connection lost")}
			if err := o.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
		}
	}
	p.Rows = good
	return nil
}

// requestsSink is such a stage as a sink.
type requestsSink struct{ st *rxcql.Stage }

func (requestsSink) Info() rxcql.SinkInfo        { return rxcql.SinkInfo{Stages: []string{"Requests"}} }
func (requestsSink) Check(context.Context) error { return nil }

func (requestsSink) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[event], error) {
	return requestsSink{r.SinkStage("Requests")}, nil
}

func (w requestsSink) Write(ctx context.Context, p *flow.Page[event]) error {
	return requests{st: w.st}.send(ctx, p)
}

func (requestsSink) Flush(context.Context) error { return nil }
func (requestsSink) Close() error                { return nil }

// A stage ends its stream by the context of a page, and rows of that page fail because of that.
// They are not skipped and are no dead letters: the run fails, and the next one reads them again.
func TestARowThatFailsByAWrongEndIsNotSkipped(t *testing.T) {
	for name, of := range map[string]struct {
		behind func(rxcql.Stream[event]) rxcql.Stream[event]
		to     rxcql.Sink[event]
	}{
		"an operator": {func(in rxcql.Stream[event]) rxcql.Stream[event] {
			return rxcql.Lift(in, rxcql.StageInfo{Name: "Requests"}, func(st *rxcql.Stage, out flow.Observer[event]) flow.Observer[event] {
				return requests{out, st}
			})
		}, sink.Each(func(context.Context, event) error { return nil })},
		"a sink": {func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }, requestsSink{}},
	} {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprint(name, kept), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					letters := &jobtest.Letters{}
					policy := rxcql.SkipRows(100)
					if kept {
						policy = rxcql.DeadLetter(letters)
					}
					in := quits(inTurn(100, source.PageRows(50)), 10500*time.Millisecond, false)
					rep, err := rxcql.Run(t.Context(), of.behind(in), of.to, rxcql.WithRowErrors(policy))
					require.ErrorContains(t, err, "stage Quits")
					require.Empty(t, letters.Kept())
					for _, st := range rep.Stages {
						require.Zero(t, st.Skipped, st.Name)
					}
				})
			})
		}
	}
}
