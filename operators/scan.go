package operators

import (
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Scan folds the rows with fn, and hands on the state after every row: running totals, for example.
// seed makes the state to begin with. It is called once for each reading of the stream, so a map or
// a pointer belongs to that reading alone. What fn returns is both the next state and a row. If it
// is a map or a pointer that fn changes, all rows handed on are the same one; return a new one if
// rows are kept. Rows go on a page at a time: behind Scan such a map has the state after the last
// row of the page.
//
// There is one state for all rows. For a total of each key after every row keep a map of totals in
// the state, and next to it a copy of the row's total: the example Keys does so. The budget does
// not count the map, which grows with the number of keys.
//
// One row out for each row in, in order (of arrival, if ranges are read in parallel), a page at a
// time. It holds the state. It is not resumable: after a restart, what came before would be missing
// from the state. An error of fn ends the stream, whatever rxcql.WithRowErrors says: without the
// row the state would be wrong.
func Scan[T, S any](in rxcql.Stream[T], seed func() S, fn func(state S, row T) (S, error)) rxcql.Stream[S] {
	info := rxcql.StageInfo{
		Name: "Scan", OneToOne: true, NotResumable: true, NotResumableReason: "no checkpoint has its state; fold each partition by GroupAdjacent",
		Err: errors.Join(required("the seed function", seed == nil), required("the function", fn == nil)),
	}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[S]) flow.Observer[T] {
		state := seed()
		return &mapping[T, S]{st: st, out: out, folds: true, fn: func(row T) (S, error) {
			next, err := fn(state, row)
			state = next
			return next, err
		}}
	})
}
