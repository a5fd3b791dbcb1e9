package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Merge reads several streams at once and hands on their pages as they come.
//
// Each input has a goroutine of its own; pages go on one at a time. Rows of one input keep their
// order, rows of different inputs have none. Rows of one partition need not arrive together
// afterwards: put GroupAdjacent before Merge, not after it. Merge holds nothing: an input whose
// page is not wanted yet waits. It is resumable. The stream ends when all inputs have ended; the
// first error ends them all.
func Merge[T any](ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Merge", MixesRows: len(ins) > 1}
	upstream, err := inputs(ins)
	info.Err = err
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		all := &joining[T]{out: out}
		limit := limitFor[T](all)
		err := border(ctx, func(ctx context.Context, post poster) error {
			group, ctx := st.TaskGroup(ctx)
			errs := make([]error, len(ins))
			for i, in := range ins {
				group.Go(func() error {
					errs[i] = in.Subscribe(ctx, st, &across[T]{to: all, post: post, lost: st.CountDropped, limit: limit})
					return errs[i]
				})
			}
			return rxcql.FirstFailure(append(errs, group.Wait())...)
		})
		if err != nil {
			return err
		}
		return out.Done(ctx, all.stopped)
	}, upstream...)
}
