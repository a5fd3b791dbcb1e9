package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// heap measures what is alive, at moments that a test chooses.
type heap struct {
	before int64
	most   atomic.Int64
}

func alive() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func newHeap() *heap { return &heap{before: alive()} }

func (h *heap) measure() { h.most.Store(max(h.most.Load(), alive()-h.before)) }

// within tells that no more was alive than the promise allows.
func (h *heap) within(t require.TestingT, budget int64, of string) {
	require.LessOrEqual(t, h.most.Load(), 3*budget+16<<20, "%s: %d KiB were alive with a budget of %d KiB", of, h.most.Load()>>10, budget>>10)
}

// wide is a table of so many columns of text beside its key.
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
		for _, budget := range []int64{rxcql.MinBudgetPerInput, 1 << 20, 8 << 20} {
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
				out := sink.TableOnHeavy[rxcql.Row](server, about)
				rep, err := run(t, wideRows(about, of.rows, of.set, of.text), out, rxcql.WithBudget(budget))
				require.NoError(t, err)
				require.EqualValues(t, of.rows, rep.Written)
				h.within(t, budget, name)
				t.Logf("%s, budget %d KiB: %d KiB alive, peak said %d KiB, %d requests", name, budget>>10, h.most.Load()>>10, rep.PeakBytes>>10, calls.Load())
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

// shape is a kind of row: its source, and what may be done with it.
type shape interface {
	run(t *testing.T, rt *rapid.T, budget int64)
}

type shapeOf[T any] struct {
	name string
	row  func(page []byte, i int) T // the row's bytes are those of the page
}

// pageBytes is a page's memory, and rowBytes what a row has of it.
const (
	pageBytes = 1 << 20
	rowBytes  = 1 << 10
)

// rows come in pages of which each is one piece of memory, as the driver's are.
func (s shapeOf[T]) rows(n int, h *sampling) rxcql.Stream[T] {
	return source.Seq(func(yield func(T, error) bool) {
		var page []byte
		for i := range n {
			if len(page) < rowBytes {
				page = make([]byte, pageBytes)
			}
			h.look()
			if !yield(s.row(page[:rowBytes], i), nil) {
				return
			}
			page = page[rowBytes:]
		}
	})
}

// sampling measures at some of the moments at which it is asked. Whoever asks meanwhile
// waits: what is made while the garbage is collected counts as alive, and how much that
// is would be up to the machine.
type sampling struct {
	*heap
	asked, every atomic.Int64
	measuring    sync.RWMutex
}

func (s *sampling) look() {
	if s.asked.Add(1)%s.every.Load() != 0 {
		s.measuring.RLock()
		defer s.measuring.RUnlock()
		return
	}
	s.measuring.Lock()
	defer s.measuring.Unlock()
	s.measure()
}

func (s shapeOf[T]) run(outer *testing.T, t *rapid.T, budget int64) {
	h := &sampling{heap: newHeap()}
	few := rapid.SampledFrom([]int{1, 10, 500, 2000}).Draw(t, "one in")
	n := rapid.IntRange(1000, 4000).Draw(t, "rows")
	if few >= 500 { // as many pages as would be too much, if a row of each kept it alive
		n += 40 * pageBytes / rowBytes * max(1, few*rowBytes/pageBytes)
	}
	h.every.Store(int64(n / rapid.IntRange(2, 6).Draw(t, "looks")))
	in := s.rows(n, h)
	if rapid.Bool().Draw(t, "merge") {
		in = operators.Merge(in, s.rows(n, h))
	}
	if few > 1 {
		seen := 0
		in = operators.Filter(in, func(T) bool { seen++; return seen%few == 0 })
	}
	for range rapid.IntRange(0, 2).Draw(t, "holders") {
		switch rapid.SampledFrom([]string{"Batch", "MapConcurrent", "Unordered"}).Draw(t, "holder") {
		case "Batch":
			opts := []operators.BatchOption{operators.BatchRows(rapid.SampledFrom([]int{2, 50, 3000}).Draw(t, "count"))}
			if rapid.Bool().Draw(t, "linger") {
				opts = append(opts, operators.BatchLinger(time.Duration(rapid.IntRange(1, 20).Draw(t, "ms"))*time.Millisecond))
			}
			in = operators.FlatMap(operators.Batch(in, opts...), func(rows []T, emit func(T) bool) error {
				for _, row := range rows {
					emit(row)
				}
				return nil
			})
		case "MapConcurrent":
			in = operators.MapConcurrent(in, 50, func(_ context.Context, row T) (T, error) { h.look(); return row, nil })
		case "Unordered":
			in = operators.MapConcurrent(in, 50, func(_ context.Context, row T) (T, error) { h.look(); return row, nil }, operators.Unordered())
		}
	}
	each := sink.Each(func(context.Context, T) error { h.look(); return nil }, sink.InFlight(rapid.SampledFrom([]int{1, 64}).Draw(t, "in flight")))
	batches := sink.Through(func(in rxcql.Stream[T]) rxcql.Stream[[]T] {
		return operators.Batch(in, operators.BatchRows(500), operators.BatchLinger(5*time.Millisecond))
	}, sink.Each(func(context.Context, []T) error { h.look(); return nil }))
	bound := sink.Prepared(func(row T) func() { return func() { time.Sleep(time.Millisecond); h.look(); runtime.KeepAlive(row) } })
	out := rapid.SampledFrom([]rxcql.Sink[T]{each, batches, bound, sink.Tee(each, batches)}).Draw(t, "sink")
	var err error
	synctest.Test(outer, func(outer *testing.T) { // what lingers does so while there are rows
		p, bad := rxcql.New(in, out, rxcql.WithBudget(budget))
		require.NoError(outer, bad)
		_, err = p.Run(context.Background())
	})
	if !errors.Is(err, rxcql.ErrBudgetHeld) { // a batch may be more than the budget
		require.NoError(t, err)
	}
	h.within(t, budget, s.name)
}

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

func TestWhatIsAliveStaysInTheBudgetWhateverHoldsRows(t *testing.T) {
	cols := func(n int) *rxcql.Columns {
		var list []rxcql.Column
		for i := range n {
			list = append(list, rxcql.Column{Name: fmt.Sprintf("a_column_of_the_table_%d", i), Type: &rxcql.ColumnType{}})
		}
		return rxcql.NewColumns(list)
	}
	row := func(cols *rxcql.Columns, set int) func(page []byte, i int) rxcql.Row {
		return func(page []byte, _ int) rxcql.Row {
			cells := make([][]byte, len(cols.List()))
			for i := range set {
				cells[i] = page[8*i:][:8:8]
			}
			return rxcql.NewRow(cols, cells)
		}
	}
	sparse, dense, one := row(cols(300), 2), row(cols(30), 30), row(cols(1), 1)
	type large struct{ Words [500]int64 }
	type nested struct {
		ID    int64
		Tags  map[string]string
		Inner *struct{ Texts []string }
		Any   any
	}
	shapes := []shape{
		shapeOf[int]{"tiny", func(_ []byte, i int) int { return i }},
		shapeOf[string]{"text", func(_ []byte, i int) string { return strconv.Itoa(i) }},
		shapeOf[[]byte]{"bytes of a page", func(page []byte, _ int) []byte { return page[:10] }},
		shapeOf[large]{"large", func(_ []byte, i int) large { return large{} }},
		shapeOf[rxcql.Row]{"sparse", sparse},
		shapeOf[rxcql.Row]{"dense", dense},
		shapeOf[rxcql.Row]{"a column", one},
		shapeOf[struct{ Cell []byte }]{"struct of a cell", func(page []byte, _ int) struct{ Cell []byte } { return struct{ Cell []byte }{page[:8]} }},
		shapeOf[scored]{"struct of Row", func(page []byte, i int) scored { return scored{one(page, i), i} }},
		shapeOf[*scored]{"pointer to Row", func(page []byte, i int) *scored { return &scored{dense(page, i), i} }},
		shapeOf[[]rxcql.Row]{"slice of Row", func(page []byte, i int) []rxcql.Row { return []rxcql.Row{one(page, i), sparse(page, i)} }},
		shapeOf[map[string]any]{"map", func(page []byte, i int) map[string]any {
			return map[string]any{"a": one(page, i), "b": []any{i, "text"}}
		}},
		shapeOf[nested]{"nested", func(page []byte, i int) nested {
			return nested{int64(i), map[string]string{"a": strconv.Itoa(i)}, &struct{ Texts []string }{make([]string, 3, 10)}, page[:5]}
		}},
	}
	rapid.Check(t, func(rt *rapid.T) {
		budget := rapid.SampledFrom([]int64{2 * rxcql.MinBudgetPerInput, 1 << 20, 4 << 20}).Draw(rt, "budget")
		rapid.SampledFrom(shapes).Draw(rt, "shape").run(t, rt, budget)
	})
}
