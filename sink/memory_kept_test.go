//go:build !race

package sink_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type scored struct {
	rxcql.Row
	Score int
}

// chosen is a batch of one row in 400 of pages of 1 MiB.
func chosen[T any](t *testing.T, name string, row func(rxcql.Row) T) {
	const budget = 1 << 20
	cols := rxcql.NewColumns([]rxcql.Column{{Name: "b", Type: &rxcql.ColumnType{}}})
	in := source.Seq(func(yield func(rxcql.Row, error) bool) {
		var page []byte
		for range 40_000 {
			if len(page) < 1000 {
				page = make([]byte, 1<<20)
			}
			if !yield(rxcql.NewRow(cols, [][]byte{page[:1000:1000]}), nil) {
				return
			}
			page = page[1000:]
		}
	})
	n := 0
	few := operators.Filter(in, func(rxcql.Row) bool { n++; return n%400 == 0 })
	rows := operators.Map(few, func(r rxcql.Row) (T, error) { return row(r), nil })
	h := newHeap()
	rep, err := run(t, operators.Batch(rows, operators.BatchRows(90)), sink.Each(func(_ context.Context, batch []T) error {
		h.measure()
		runtime.KeepAlive(batch)
		return nil
	}), rxcql.WithBudget(budget))
	require.NoError(t, err)
	require.Positive(t, rep.Written)
	h.within(t, budget, name)
}

func TestARowThatIsKeptLetsItsPageGoWhateverItIsIn(t *testing.T) {
	chosen(t, "Row", func(r rxcql.Row) rxcql.Row { return r })
	chosen(t, "struct", func(r rxcql.Row) scored { return scored{r, 1} })
	chosen(t, "pointer", func(r rxcql.Row) *scored { return &scored{r, 1} })
	chosen(t, "slice", func(r rxcql.Row) []rxcql.Row { return []rxcql.Row{r} })
	chosen(t, "map", func(r rxcql.Row) map[string]scored { return map[string]scored{"a": {r, 1}} })
	chosen(t, "interface", func(r rxcql.Row) any { return scored{r, 1} })
	chosen(t, "cell", func(r rxcql.Row) struct{ B []byte } { return struct{ B []byte }{r.Bytes(0)} })
	chosen(t, "decoded", func(r rxcql.Row) struct{ N int } { return struct{ N int }{r.Len()} })
}
