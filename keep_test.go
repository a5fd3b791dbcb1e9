package rxcql_test

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

// wideRow is a row of so many columns, each of 8 bytes of one slice.
func wideRow(columns int) rxcql.Row {
	var list []rxcql.Column
	cells, page := make([][]byte, columns), make([]byte, 8*columns)
	for i := range columns {
		list = append(list, rxcql.Column{Name: fmt.Sprintf("a_column_of_the_table_%d", i), Type: &rxcql.ColumnType{}})
		cells[i] = page[8*i:][:8:8]
	}
	return rxcql.NewRow(rxcql.NewColumns(list), cells)
}

func TestRowsCountWithoutTheColumnsThatTheyShareWhereverTheyAre(t *testing.T) {
	type scored struct {
		rxcql.Row
		Score int
	}
	row := wideRow(30)
	one := 32 + row.Size()
	require.Equal(t, one, rxcql.SizeFunc[rxcql.Row]()(&row))
	require.Equal(t, one+8, rxcql.SizeFunc[scored]()(&scored{row, 1}))
	many := []rxcql.Row{row, row, row}
	require.Equal(t, 24+3*one, rxcql.SizeFunc[[]rxcql.Row]()(&many))
	nested := [][]rxcql.Row{many, many}
	require.Equal(t, 24+2*(24+3*one), rxcql.SizeFunc[[][]rxcql.Row]()(&nested))
	p := &scored{row, 1}
	require.Equal(t, 8+one+8, rxcql.SizeFunc[*scored]()(&p))
	var held any = scored{row, 1}
	require.Equal(t, 16+one+8, rxcql.SizeFunc[any]()(&held))
	type described struct {
		Columns *rxcql.Columns
		Column  rxcql.Column
	}
	require.Equal(t, 32, rxcql.SizeFunc[described]()(&described{row.Columns(), row.Columns().List()[0]}))
}

func TestASizeFollowsWhatAnInterfaceHolds(t *testing.T) {
	text := string(make([]byte, 1000))
	for _, held := range []any{
		[]any{text, text}, map[string]any{"a": text, "b": []string{text}}, &struct{ A, B any }{text, text},
		struct{ A *string }{func() *string { both := text + text; return &both }()}, [1]map[int]string{{1: text, 2: text}},
	} {
		size := rxcql.SizeFunc[any]()(&held)
		require.Greater(t, size, 2000, "%T", held)
		require.Less(t, size, 3000, "%T", held)
	}
}

// heapInUse is the least of several measures: what pools keep goes with the second collection.
func heapInUse() int {
	least := math.MaxInt
	for range 3 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		least = min(least, int(m.HeapAlloc))
	}
	return least
}

func TestAMapCountsTheRoomThatItHas(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 100, 1000, 20_000} {
		before := heapInUse()
		maps := make([]map[int64][4]int64, max(1, 20_000/n))
		for i := range maps {
			maps[i] = map[int64][4]int64{}
			for k := range n {
				maps[i][int64(k)] = [4]int64{}
			}
		}
		alive, size := heapInUse()-before, rxcql.SizeFunc[[]map[int64][4]int64]()(&maps)
		require.Less(t, alive, 2*size, "%d entries", n)
		require.Less(t, size, 4*alive, "%d entries", n)
	}
}

func TestWhatIsKeptHasNoMemoryOfThePage(t *testing.T) {
	type scored struct {
		rxcql.Row
		Score int
	}
	type inner struct {
		Cells [2][]byte
		Score *scored
	}
	type locked struct {
		sync.Mutex
		scored
	}
	row := wideRow(3)
	use := func(name string, kept func() rxcql.Row, page rxcql.Row) {
		for i := range page.Len() {
			page.Bytes(i)[0] = 99
		}
		for i := range page.Len() {
			require.Zero(t, kept().Bytes(i)[0], name)
			page.Bytes(i)[0] = 0
		}
	}
	a := rxcql.CloneFunc[scored]()(scored{row, 1})
	require.Equal(t, 1, a.Score)
	use("struct", func() rxcql.Row { return a.Row }, row)
	list := []rxcql.Row{row}
	b := rxcql.CloneFunc[[]rxcql.Row]()(list)
	use("slice", func() rxcql.Row { return b[0] }, row)
	c := rxcql.CloneFunc[*scored]()(&scored{row, 1})
	use("pointer", func() rxcql.Row { return c.Row }, row)
	d := rxcql.CloneFunc[map[string]scored]()(map[string]scored{"a": {row, 1}})
	use("map", func() rxcql.Row { return d["a"].Row }, row)
	e := rxcql.CloneFunc[any]()(scored{row, 1})
	use("interface", func() rxcql.Row { return e.(scored).Row }, row)
	f := rxcql.CloneFunc[inner]()(inner{Cells: [2][]byte{row.Bytes(0), nil}, Score: &scored{row, 1}})
	use("nested", func() rxcql.Row { return f.Score.Row }, row)
	row.Bytes(0)[0] = 99
	require.Zero(t, f.Cells[0][0])
	require.Nil(t, f.Cells[1])

	empty := rxcql.CloneFunc[[]byte]()(row.Bytes(0)[:0])
	require.NotNil(t, empty)
	require.Empty(t, empty)
	lock := &locked{}
	require.Same(t, lock, rxcql.CloneFunc[*locked]()(lock), "what has a lock is not copied")
	at := time.Now()
	require.Same(t, &at, rxcql.CloneFunc[*time.Time]()(&at))
	require.Nil(t, rxcql.CloneFunc[any]()(nil))
	require.Nil(t, rxcql.CloneFunc[*scored]()(nil))
	require.Nil(t, rxcql.CloneFunc[map[string]scored]()(nil))
	require.Nil(t, rxcql.CloneFunc[[]rxcql.Row]()(nil))
}

func TestAllValuesOfASliceAreMadeFitToBeKept(t *testing.T) {
	type blob struct {
		ID int
		B  []byte
	}
	page := []byte("abc")
	blobs := []blob{{1, page[:1]}, {2, page[1:]}}
	rxcql.CloneAllFunc[blob]()(blobs)
	rows := []rxcql.Row{wideRow(1), wideRow(1)}
	first := rows[0].Bytes(0)
	rxcql.CloneAllFunc[rxcql.Row]()(rows)
	first[0], page[0], page[1] = 'x', 'x', 'x'
	require.Equal(t, []blob{{1, []byte("a")}, {2, []byte("bc")}}, blobs)
	require.Equal(t, make([]byte, 8), rows[0].Bytes(0))
	numbers := []int{1, 2}
	rxcql.CloneAllFunc[int]()(numbers)
	require.Equal(t, []int{1, 2}, numbers)
}
