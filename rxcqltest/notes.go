package rxcqltest

import (
	"context"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// notes is a sink that keeps rows in memory.
type notes[T any] struct {
	mu   sync.Mutex
	rows []T
	at   func(n int) // called with the number of rows after each of them; may be nil
}

func (s *notes[T]) Check(context.Context) error { return nil }

// Info: a row that comes twice does no harm.
func (s *notes[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"Notes"}}
}

func (s *notes[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	return &notesWriter[T]{notes: s, st: r.SinkStage("Notes")}, nil
}

type notesWriter[T any] struct {
	*notes[T]
	st *rxcql.Stage
}

func (w *notesWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, row := range p.Rows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		w.rows = append(w.rows, row)
		if w.at != nil {
			w.at(len(w.rows))
		}
	}
	w.st.CountWritten(len(p.Rows))
	return nil
}

func (w *notesWriter[T]) Flush(context.Context) error { return nil }

func (w *notesWriter[T]) Close() error { return nil }
