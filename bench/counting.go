package main

import (
	"context"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

type sessionOf = *gocql.Session

// counting is the cheapest sink that there is: what a scan with a checkpoint
// drains into. first, if not nil, is called with the first row of a run.
type counting[T any] struct {
	tally
	of    func(T) int64
	first func()
	stop  func(rows int64) bool // asked after every page; may be nil
	end   func()                // called when stop has said so
}

func (c *counting[T]) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Resumable: true} }

func (c *counting[T]) Check(context.Context) error { return nil }

func (c *counting[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	c.tally = tally{}
	return &countingWriter[T]{counting: c, st: r.SinkStage("Counting")}, nil
}

type countingWriter[T any] struct {
	*counting[T]
	st *rxcql.Stage
}

func (w *countingWriter[T]) Write(_ context.Context, p *flow.Page[T]) error {
	if w.Rows == 0 && len(p.Rows) > 0 && w.first != nil {
		w.first()
	}
	for i := range p.Rows {
		w.Sum += w.of(p.Rows[i])
	}
	w.Rows += int64(len(p.Rows))
	w.st.CountIn(len(p.Rows))
	w.st.CountWritten(len(p.Rows))
	if w.stop != nil && w.stop(w.Rows) {
		w.end()
	}
	return nil
}

func (w *countingWriter[T]) Flush(context.Context) error { return nil }

func (w *countingWriter[T]) Close() error { return nil }
