package rxcql_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// firstThatWorks is an operator of one's own: it reads streams in turn, until one does not fail.
func firstThatWorks(ins ...rxcql.Stream[string]) rxcql.Stream[string] {
	info := rxcql.StageInfo{
		Name: "First that works", MixesRows: true,
		NotResumable: true, NotResumableReason: "no checkpoint says which of its streams works",
	}
	inputs := make([]rxcql.AnyStream, len(ins))
	for i, in := range ins {
		inputs[i] = in
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[string]) error {
		for i, in := range ins {
			a := in.Attempt(ctx, st, out)
			if a.Failed && i < len(ins)-1 {
				a.Leave(ctx)
				continue
			}
			if a.Err != nil {
				return a.Err
			}
			return out.Done(ctx, a.Stopped)
		}
		return out.Done(ctx, false)
	}, inputs...)
}

func ExampleStream_Attempt() {
	rows := func(err error, rows ...string) rxcql.Stream[string] {
		return source.Seq(func(yield func(string, error) bool) {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				yield("", err)
			}
		})
	}
	lost := errors.New("lost")
	s := firstThatWorks(rows(lost), rows(lost, "a"), rows(nil, "b", "c"), rows(nil, "d"))
	report, err := s.ForEach(context.Background(), func(row string) error {
		fmt.Println(row)
		return nil
	})
	fmt.Println(report.EndedBy, err)
	// Output:
	// a
	// b
	// c
	// First that works <nil>
}
