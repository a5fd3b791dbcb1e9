package operators

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Scan folds the rows with fn, beginning with seed, and hands on the state after
// every row: running totals, say. Each run begins with seed again; a map or a
// pointer would be shared by the runs and by the rows handed on, so make fn
// return a new one.
//
// One row out for each row in, in order (over ranges read in parallel that is
// the order of arrival), a page at a time. It holds the state. It is not
// resumable: what came before a restart is missing from the state. An error of
// fn ends the stream, whatever rxcql.WithRowErrors says: without the row the state
// would be wrong.
func Scan[T, S any](in rxcql.Stream[T], seed S, fn func(state S, row T) (S, error)) rxcql.Stream[S] {
	info := rxcql.StageInfo{
		Name: "Scan", OneToOne: true, NotResumable: true,
		Err: required("the function", fn == nil),
	}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[S]) flow.Observer[T] {
		state := seed
		return &mapping[T, S]{st: st, out: out, folds: true, fn: func(row T) (S, error) {
			next, err := fn(state, row)
			state = next
			return next, err
		}}
	})
}
