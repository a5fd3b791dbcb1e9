package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Concat reads several streams one after the other: the next is begun when the one before
// has been read to its end, and not before.
//
// Order is kept: all rows of the first stream, then all of the second, and so on. Rows go on
// a page at a time, in the goroutine that reads the stream; it holds nothing and has no
// goroutine of its own. A Take downstream limits what is read over all of them; streams that
// are not needed any more are not begun, and neither are they after Pipeline.Stop. The first
// error ends the stream. Each of the sources has its part of the budget all the time.
//
// It is resumable: a job that goes on reads what is not settled yet, of the first stream first,
// and nothing of those that are done. Parts stay those of their sources, so that GroupAdjacent and
// DistinctAdjacent behind it take rows of different streams for different groups, whatever
// their keys.
//
// Event time waits for streams that have not begun, since their rows may be of any time. So windows
// close only when the last stream says how far it is, and are all open until then.
func Concat[T any](ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Concat", Synchronous: true}
	upstream, err := inputs(ins)
	info.Err = err
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		all := &joining[T]{out: out}
		for i, in := range ins {
			if i > 0 && isStopping(st) { // since the last page of the stream before, perhaps
				all.stopped = true
			}
			if all.stopped {
				break
			}
			if err := in.Subscribe(ctx, st, all); err != nil {
				return err
			}
		}
		return out.Done(ctx, all.stopped)
	}, upstream...)
}
