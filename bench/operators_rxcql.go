package main

import (
	"context"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

var operatorsToolkit = register("operators-rxcql", inMemory(func(ctx context.Context, rows []event, j job) (tally, error) {
	if !j.Bare {
		return consume(ctx, inPages(rows, j.Rows))
	}
	var t tally
	_, err := inPages(rows, j.Rows).ForEach(ctx, func(e event) error {
		t.countEvent(e)
		return nil
	})
	return t, err
}))

// operatorsSmall is the same three verbs over rows of 8 bytes.
var operatorsSmall = register("operators-small", inMemory(func(ctx context.Context, events []event, j job) (tally, error) {
	rows := make([]int64, len(events))
	for i := range rows {
		rows[i] = int64(i)
	}
	stream := inPages(rows, j.Rows)
	if !j.Bare {
		minutes := operators.Map(stream, func(at int64) (int64, error) { return at / 60, nil })
		kept := operators.Filter(minutes, func(m int64) bool { return m%10 != 0 })
		stream = operators.Map(kept, func(m int64) (int64, error) { return m ^ 1, nil })
	}
	var t tally
	_, err := stream.ForEach(ctx, func(v int64) error {
		t.Rows++
		t.Sum += v
		return nil
	})
	return t, err
}))

// inPages delivers the same rows as page after page, with all that a page owes:
// bytes of the budget and a receipt.
func inPages[T any](rows []T, total int64) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "InPages", Source: true}
	bytes := int64(len(rows)) * int64(unsafe.Sizeof(*new(T)))
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		st.CountRanges(1)
		for n, sent := int64(0), int64(0); sent < total; n++ {
			reservation, err := st.Input().Reserve(ctx, bytes)
			if err != nil {
				return err
			}
			sent += int64(len(rows))
			p := &flow.Page[T]{Rows: rows, Reservation: reservation}
			p.Position = flow.Position{Page: n, Last: sent >= total}
			p.Resize(bytes)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(rows), bytes)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		st.CountRangeDone()
		return out.Done(ctx, false)
	})
}
