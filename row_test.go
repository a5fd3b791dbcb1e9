package rxcql_test

import (
	"database/sql"
	"encoding/binary"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

func column(t testing.TB, name, cql string) rxcql.Column {
	t.Helper()
	typ, err := codec.Parse(cql, nil)
	require.NoError(t, err)
	return rxcql.Column{Name: name, Type: typ}
}

func bigEndian(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }

// flight is a row of several types; note is null and Empty an empty text.
func flight(t testing.TB) rxcql.Row {
	t.Helper()
	cols := rxcql.NewColumns([]rxcql.Column{
		column(t, "id", "bigint"), column(t, "from", "text"), column(t, "note", "text"), column(t, "Empty", "text"),
		column(t, "late", "boolean"), column(t, "share", "double"), column(t, "at", "timestamp"), column(t, "key", "uuid"),
		column(t, "stops", "list<int>"),
	})
	share := binary.BigEndian.AppendUint64(nil, math.Float64bits(0.5))
	stops := []byte{0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, 8}
	return rxcql.NewRow(cols, [][]byte{bigEndian(42), []byte("BRU"), nil, {}, {1}, share, bigEndian(1500), []byte("0123456789abcdef"), stops})
}

func value[V any](t *testing.T, r rxcql.Row, name string) V {
	t.Helper()
	v, err := rxcql.Value[V](r, name)
	require.NoError(t, err)
	return v
}

func TestAColumnOfARowIsDecodedWhenAskedFor(t *testing.T) {
	r := flight(t)
	require.EqualValues(t, 42, value[int64](t, r, "id"))
	require.Equal(t, 42, value[int](t, r, "id"))
	require.Equal(t, "BRU", value[string](t, r, "from"))
	require.Equal(t, []byte("BRU"), value[[]byte](t, r, "from"))
	require.Empty(t, value[string](t, r, "Empty"))
	require.True(t, value[bool](t, r, "late"))
	require.Equal(t, 0.5, value[float64](t, r, "share"))
	require.Equal(t, time.UnixMilli(1500).UTC(), value[time.Time](t, r, "at"))
	require.Equal(t, gocql.UUID([]byte("0123456789abcdef")), value[gocql.UUID](t, r, "key"))
	require.Equal(t, []int32{7, 8}, value[[]int32](t, r, "stops"))
}

func TestNullIsToldFromZero(t *testing.T) {
	r := flight(t)
	require.Empty(t, value[string](t, r, "note"))
	require.Nil(t, value[*string](t, r, "note"))
	require.False(t, value[sql.Null[string]](t, r, "note").Valid)
	require.Equal(t, "", *value[*string](t, r, "Empty"))
	require.True(t, value[sql.Null[string]](t, r, "Empty").Valid)
	require.EqualValues(t, 42, *value[*int64](t, r, "id"))
}

func TestAColumnThatIsNotThereOrDoesNotFitIsAnError(t *testing.T) {
	r := flight(t)
	_, err := rxcql.Value[int64](r, "ID")
	require.ErrorIs(t, err, rxcql.ErrNoColumn)
	require.ErrorContains(t, err, `"ID"`)
	_, err = rxcql.Value[bool](r, "from")
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "from")
	bad, err := r.With("id", []byte{1, 2, 3})
	require.NoError(t, err)
	v, err := rxcql.Value[int64](bad, "id")
	require.Error(t, err)
	require.Zero(t, v)
	_, err = r.With("ID", nil)
	require.ErrorIs(t, err, rxcql.ErrNoColumn)
}

func TestLookupTellsNullFromNoColumn(t *testing.T) {
	r := flight(t)
	cell, found := r.Lookup("from")
	require.True(t, found)
	require.Equal(t, []byte("BRU"), cell)
	cell, found = r.Lookup("note")
	require.True(t, found)
	require.Nil(t, cell)
	cell, found = r.Lookup("Empty")
	require.True(t, found)
	require.NotNil(t, cell)
	_, found = r.Lookup("empty")
	require.False(t, found)
	require.Equal(t, 9, r.Len())
	require.Equal(t, []byte("BRU"), r.Bytes(1))
	require.Equal(t, "bigint", r.Columns().List()[0].Type.String())
}

func TestWithLeavesTheRowAsItIs(t *testing.T) {
	r := flight(t)
	other, err := r.With("from", []byte("AMS"))
	require.NoError(t, err)
	null, err := other.With("id", nil)
	require.NoError(t, err)
	require.Equal(t, "BRU", value[string](t, r, "from"))
	require.Equal(t, "AMS", value[string](t, null, "from"))
	require.Nil(t, value[*int64](t, null, "id"))
	require.EqualValues(t, 42, value[int64](t, other, "id"))
}

func TestACloneSharesNothing(t *testing.T) {
	r := flight(t)
	clone := r.Clone()
	for i := range r.Len() {
		clear(r.Bytes(i)) // the page's memory is gone
	}
	require.EqualValues(t, 42, value[int64](t, clone, "id"))
	require.Equal(t, "BRU", value[string](t, clone, "from"))
	require.Nil(t, clone.Bytes(2))
	require.NotNil(t, clone.Bytes(3))
	require.Equal(t, r.Size(), clone.Size())
	kept := rxcql.CloneFunc[rxcql.Row]()(clone)
	clear(clone.Bytes(1))
	require.Equal(t, "BRU", value[string](t, kept, "from"))
	require.Equal(t, 5, rxcql.CloneFunc[int]()(5))
}

func TestTheZeroRowHasNoColumns(t *testing.T) {
	var r rxcql.Row
	require.Zero(t, r.Len())
	require.Zero(t, r.Size())
	require.Nil(t, r.Columns())
	require.Nil(t, r.Clone().Columns())
	_, found := r.Lookup("id")
	require.False(t, found)
	_, err := r.With("id", nil)
	require.ErrorIs(t, err, rxcql.ErrNoColumn)
	_, err = rxcql.Value[int](r, "id")
	require.ErrorIs(t, err, rxcql.ErrNoColumn)
	require.Panics(t, func() { rxcql.NewRow(rxcql.NewColumns(nil), make([][]byte, 1)) })
}

func TestARowIsReadFromManyGoroutines(t *testing.T) {
	r := flight(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				id, err := rxcql.Value[int64](r, "id")
				from, err2 := rxcql.Value[string](r, "from")
				if id != 42 || from != "BRU" || err != nil || err2 != nil {
					t.Error(id, from, err, err2)
				}
			}
		})
	}
	wg.Wait()
}

func TestTheSizeOfAValueCountsWhatHangsFromIt(t *testing.T) {
	type plain struct {
		A int64  `cql:"a"`
		B string `cql:"b"`
	}
	text := strings.Repeat("x", 1000)
	size := rxcql.SizeFunc[plain]()
	require.Equal(t, 1000, size(&plain{B: text})-size(&plain{}))
	require.Equal(t, 8, rxcql.SizeFunc[int64]()(new(int64)))
	list := []string{text, text}
	require.GreaterOrEqual(t, rxcql.SizeFunc[[]string]()(&list), 2000)
	r := flight(t)
	require.Equal(t, 32+r.Size(), rxcql.SizeFunc[rxcql.Row]()(&r))
	require.Equal(t, 9*24+8+3+1+8+8+16+20, r.Size())
}

func TestColumnsOfOneNameAreRefused(t *testing.T) {
	require.PanicsWithValue(t, `rxcql: NewColumns: two columns are named "v": give one of them another name with AS, or name it once`, func() {
		rxcql.NewColumns([]rxcql.Column{column(t, "k", "int"), column(t, "v", "int"), column(t, "v", "text")})
	})
	var row rxcql.Row
	twice := `{"columns":[{"name":"v","type":"int","value":null},{"name":"v","type":"text","value":null}]}`
	require.ErrorContains(t, row.UnmarshalJSON([]byte(twice)), `two columns are named "v"`)
	require.NotPanics(t, func() { rxcql.NewColumns([]rxcql.Column{column(t, "v", "int"), column(t, "V", "text")}) })
}
