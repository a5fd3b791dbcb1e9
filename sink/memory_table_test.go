//go:build !race

package sink_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// wide is a table of so many columns of text and its key.
func wide(columns int) *schema.Table {
	all := []schema.Column{column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int")}
	for i := range columns {
		all = append(all, column(fmt.Sprintf("c%d", i), schema.Regular, "text"))
	}
	return tableOf(all...)
}

// wideRows are rows of partitions of 100, of which so many columns are set, with
// texts of so many bytes.
func wideRows(about *schema.Table, rows, set, text int) rxcql.Stream[rxcql.Row] {
	var list []rxcql.Column
	for _, c := range about.Columns {
		list = append(list, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	cols := rxcql.NewColumns(list)
	return source.Seq(func(yield func(rxcql.Row, error) bool) {
		for i := range rows {
			cells := make([][]byte, len(list))
			cells[0] = binary.BigEndian.AppendUint64(nil, uint64(i/100))
			cells[1] = binary.BigEndian.AppendUint32(nil, uint32(i))
			for c := range set {
				cells[2+c] = []byte(strings.Repeat("x", text))
			}
			if !yield(rxcql.NewRow(cols, cells), nil) {
				return
			}
		}
	})
}

func TestTheMemoryOfATableSinkStaysInTheBudget(t *testing.T) {
	for name, of := range map[string]struct{ columns, rows, set, text int }{
		"sparse":           {300, 6000, 0, 0},
		"wide":             {300, 4000, 300, 8},
		"tiny":             {0, 60_000, 0, 0},
		"texts":            {5, 20_000, 5, 100},
		"a large text":     {1, 1000, 1, 20_000},
		"a few in the sea": {1000, 2000, 3, 30},
	} {
		for i, budget := range []int64{rxcql.MinBudgetPerInput, 1 << 20, 8 << 20, rxcql.MinBudgetPerInput, 1 << 20, 8 << 20} {
			var opts []sink.TableOption
			if i >= 3 {
				opts = byToken()
			}
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				h := newHeap()
				server := sink.Heavy(func(context.Context) error {
					n := calls.Add(1)
					time.Sleep(time.Second) // until everything waits for it
					if n%(1+calls.Load()/5) == 0 {
						h.measure()
					}
					return nil
				})
				about := wide(of.columns)
				out := sink.TableOnHeavy[rxcql.Row](server, about, opts...)
				rep, err := run(t, wideRows(about, of.rows, of.set, of.text), out, rxcql.WithBudget(budget))
				require.NoError(t, err)
				require.EqualValues(t, of.rows, rep.Written)
				h.within(t, budget, name)
				t.Logf("%s, %d options, budget %d KiB: %d KiB alive, peak said %d KiB, %d requests", name, len(opts), budget>>10, h.most.Load()>>10, rep.PeakBytes>>10, calls.Load())
				most := budget
				if row := int64(of.columns * 128); row > budget/2 { // it goes alone
					most += row
				}
				require.LessOrEqual(t, rep.PeakBytes, most+int64(rep.PeakFetches)*rep.LargestPage, name)
			})
		}
	}
}

func TestABatchThatIsUsedAgainKeepsNoLargeRow(t *testing.T) {
	const reuse = 256 << 10
	b, cells := sink.EmptiedBatch(10, 100<<10, reuse)
	runtime.GC()
	require.Nil(t, cells.Value(), "a megabyte of rows that were written")
	runtime.KeepAlive(b)
	b, cells = sink.EmptiedBatch(10, 1<<10, reuse)
	runtime.GC()
	require.NotNil(t, cells.Value(), "small memory is used again")
	runtime.KeepAlive(b)
}
