package main

import (
	"context"
	"unsafe"

	"github.com/rxcql/rxcql"
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

// inPages delivers the same rows as page after page, with all that a page owes:
// bytes of the budget and a receipt.
func inPages(rows []event, total int64) rxcql.Stream[event] {
	info := rxcql.StageInfo{Name: "InPages", Source: true}
	bytes := int64(len(rows)) * int64(unsafe.Sizeof(event{}))
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[event]) error {
		defer st.Input().Done()
		st.Ranges(1)
		for n, sent := int64(0), int64(0); sent < total; n++ {
			lease, err := st.Input().Reserve(ctx, bytes)
			if err != nil {
				return err
			}
			sent += int64(len(rows))
			p := &rxcql.Page[event]{Rows: rows, Lease: lease}
			p.Position = rxcql.Position{Page: n, Last: sent >= total}
			p.Correct(bytes)
			p.Owe(st.Receipt())
			st.PageRead(len(rows), bytes)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		st.RangeDone()
		return out.Done(ctx, false)
	})
}
