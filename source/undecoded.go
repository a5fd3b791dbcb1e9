package source

import (
	"context"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rows"
)

func isRow[T any]() bool { return reflect.TypeFor[T]() == reflect.TypeFor[rxcql.Row]() }

// undecoded is a row that could not be decoded.
type undecoded struct {
	index int // in the page as it was received
	row   any // as received: a Row, or the text of a line; nil if it is not wanted
	err   error
}

// undecodedRows are rows of one page that could not be decoded. They share their columns.
func undecodedRows(bad []rows.Undecoded) []undecoded {
	if len(bad) == 0 {
		return nil
	}
	columns := rxcql.NewColumns(bad[0].Columns)
	kept := make([]undecoded, len(bad))
	for i, b := range bad {
		kept[i] = undecoded{index: b.Index, row: rxcql.NewRow(columns, b.Cells), err: b.Err}
	}
	return kept
}

// reporting returns an observer that tells the run of a page's undecoded rows, and then passes the
// page to out. It works at delivery, because the page must have its receipt.
func reporting[T any](st *rxcql.Stage, out flow.Observer[T], bad []undecoded) flow.Observer[T] {
	if len(bad) == 0 {
		return out
	}
	return &reporter[T]{Observer: out, stage: st, bad: bad}
}

type reporter[T any] struct {
	flow.Observer[T]
	stage *rxcql.Stage
	bad   []undecoded
}

func (r *reporter[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	for _, bad := range r.bad {
		err := r.stage.RowFailed(ctx, p.Reservation, rxcql.FailedRow{
			Position: p.Position, Index: bad.index, Row: bad.row, Err: bad.err,
		})
		if err != nil {
			return err
		}
	}
	return r.Observer.Next(ctx, p)
}
