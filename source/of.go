package source

import (
	"context"
	"iter"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Of reads values that are given as they are, in their order: for tests, and for the few rows that
// a program knows by itself. A page has up to 512 rows. The stream can be run any number of times.
// The slice is copied; what its values refer to is not.
//
// It cannot be part of a job: nothing says that the values are the same in the next run. SeqFrom
// names its rows.
func Of[T any](rows ...T) rxcql.Stream[T] {
	rows = slices.Clone(rows)
	info := rxcql.StageInfo{
		Name: "Of", Source: true, NotResumable: true,
		NotResumableReason: "nothing says that its values are the same in the next run; use source.SeqFrom, which names them",
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		b := newPaging(ctx, st, out, flow.DefaultPageRows, nil)
		defer b.drop()
		b.measure = func() (done, total float64) { return float64(b.taken), float64(len(rows)) }
		return b.all(ctx, withoutErrors(rows))
	})
}

func withoutErrors[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
