package codec_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
)

func TestWhatAnEarlierRowHoldsIsNeverChanged(t *testing.T) {
	type row struct {
		S string         `cql:"s"`
		B []byte         `cql:"b"`
		P *int64         `cql:"p"`
		L []string       `cql:"l"`
		M map[string]int `cql:"m"`
		V big.Int        `cql:"v"`
		D inf.Dec        `cql:"d"`
		F []float32      `cql:"f"`
	}
	cols := []codec.Column{{Name: "s", Type: typeOf(t, "text")}, {Name: "b", Type: typeOf(t, "blob")}, {Name: "p", Type: typeOf(t, "bigint")},
		{Name: "l", Type: typeOf(t, "list<text>")}, {Name: "m", Type: typeOf(t, "map<text, int>")}, {Name: "v", Type: typeOf(t, "varint")},
		{Name: "d", Type: typeOf(t, "decimal")}, {Name: "f", Type: typeOf(t, "vector<float, 1>")}}
	e, err := codec.NewEncoder[row](cols)
	require.NoError(t, err)
	d, err := codec.NewDecoder[row](cols)
	require.NoError(t, err)
	make1 := func(i int64) row {
		text := strings.Repeat("x", int(i)) + fmt.Sprint(i)
		r := row{S: text, B: []byte(text), P: &i, L: []string{text, text}, M: map[string]int{text: int(i)}, F: []float32{float32(i)}}
		r.V.Lsh(big.NewInt(i+1), 70)
		r.D.SetUnscaledBig(&r.V)
		return r
	}
	var dst row
	var kept []row
	cells, raw := make([]codec.Cell, len(cols)), make([][]byte, len(cols))
	for i := range int64(600) {
		in := make1(i)
		buf, err := e.Encode(nil, &in, cells)
		require.NoError(t, err)
		for c := range cells {
			raw[c] = cells[c].Bytes
		}
		_, err = d.Decode(raw, &dst)
		require.NoError(t, err)
		kept = append(kept, dst)
		clear(buf) // the input may be written over at once
		for c := range kept[i].B {
			kept[i].B[c] = 0 // and []byte is the row's own
		}
		kept[i].B = append(kept[i].B, "grown past its end"...)
	}
	for i := range kept {
		want := make1(int64(i))
		kept[i].B = want.B
		require.Zero(t, want.V.Cmp(&kept[i].V))
		require.Zero(t, want.D.Cmp(&kept[i].D))
		kept[i].V, kept[i].D, want.V, want.D = big.Int{}, inf.Dec{}, big.Int{}, inf.Dec{}
		require.Equal(t, want, kept[i])
	}
}

func TestATextThatRepeatsIsSharedAndByteSlicesAreNot(t *testing.T) {
	type row struct {
		S string `cql:"s"`
		B []byte `cql:"b"`
	}
	cols := []codec.Column{{Name: "s", Type: typeOf(t, "text")}, {Name: "b", Type: typeOf(t, "blob")}}
	d, err := codec.NewDecoder[row](cols)
	require.NoError(t, err)
	var a, b, c row
	raw := [][]byte{[]byte("same"), []byte("same")}
	n, err := d.Decode(raw, &a)
	require.NoError(t, err)
	m, err := d.Decode(raw, &b)
	require.NoError(t, err)
	require.Equal(t, n, m, "a shared string counts in each row")
	require.Same(t, unsafe.StringData(a.S), unsafe.StringData(b.S))
	require.NotSame(t, unsafe.SliceData(a.B), unsafe.SliceData(b.B))
	_, err = d.Fork().Decode(raw, &c)
	require.NoError(t, err)
	require.NotSame(t, unsafe.StringData(a.S), unsafe.StringData(c.S), "a fork has an arena of its own")
	require.Equal(t, 4, cap(a.B))
}

func TestForksWorkSideBySide(t *testing.T) {
	d, err := codec.NewDecoder[reading](readingColumns)
	require.NoError(t, err)
	e, err := codec.NewEncoder[reading](readingColumns)
	require.NoError(t, err)
	rows := readingPages(300)
	var all sync.WaitGroup
	for range 4 {
		d, e := d.Fork(), e.Fork()
		all.Go(func() {
			var row reading
			cells := make([]codec.Cell, 5)
			for _, raw := range rows {
				_, err := d.Decode(raw, &row)
				assert.NoError(t, err)
				_, err = e.Encode(nil, &row, cells)
				assert.NoError(t, err)
				assert.Equal(t, raw[4], cells[4].Bytes)
			}
		})
	}
	all.Wait()
}

func TestDecodingAndEncodingRowsAllocatesNothingButText(t *testing.T) {
	d, err := codec.NewDecoder[reading](readingColumns)
	require.NoError(t, err)
	rows := readingPages(1000)
	i := 0
	var dst reading
	require.Less(t, testing.AllocsPerRun(2000, func() { _, _ = d.Decode(rows[i%1000], &dst); i++ }), 1.0)
	e, err := codec.NewEncoder[reading](readingColumns)
	require.NoError(t, err)
	buf, cells := make([]byte, 0, 256), make([]codec.Cell, 5)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = e.Encode(buf, &dst, cells) }))
}

func TestCellsAreRightHoweverTheBufferGrows(t *testing.T) {
	type row struct {
		A string  `cql:"a"`
		N *int32  `cql:"n"`
		E string  `cql:"e"`
		B string  `cql:"b"`
		C []int64 `cql:"c"`
	}
	cols := []codec.Column{{Name: "a", Type: typeOf(t, "text")}, {Name: "n", Type: typeOf(t, "int")}, {Name: "e", Type: typeOf(t, "text")},
		{Name: "b", Type: typeOf(t, "text")}, {Name: "c", Type: typeOf(t, "list<bigint>")}}
	e, err := codec.NewEncoder[row](cols)
	require.NoError(t, err)
	for room := range 100 {
		buf := append(make([]byte, 0, room+4), "head"...)
		cells := make([]codec.Cell, 5)
		buf, err = e.Encode(buf, &row{A: "first", B: "second", C: []int64{1, 2}}, cells)
		require.NoError(t, err)
		require.Equal(t, "headfirstsecond", string(buf[:15]))
		require.Equal(t, "first", string(cells[0].Bytes))
		require.Equal(t, codec.Cell{Null: true}, cells[1])
		require.Equal(t, []byte{}, cells[2].Bytes)
		require.Equal(t, "second", string(cells[3].Bytes))
		require.Len(t, cells[4].Bytes, 4+2*12)
		require.Same(t, &buf[4], &cells[0].Bytes[0], "cells are slices of what comes back")
		require.Equal(t, 5, cap(cells[0].Bytes))
	}
	buf, err := e.Fork().Encode([]byte("head"), &row{}, make([]codec.Cell, 1))
	require.ErrorIs(t, err, codec.ErrValue)
	require.Equal(t, "head", string(buf))
}

// upper is a user's own type; upper2 has pointer receivers.
type upper string

func (u upper) MarshalCQL(gocql.TypeInfo) ([]byte, error) {
	if u == "secret" {
		return nil, errors.New("secret is bad")
	}
	return []byte(strings.ToLower(string(u))), nil
}

func (u *upper) UnmarshalCQL(info gocql.TypeInfo, data []byte) error {
	if string(data) == "secret" {
		return errUser
	}
	*u += upper(strings.ToUpper(string(data)))
	return nil
}

type upper2 struct{ s string }

func (u *upper2) MarshalCQL(info gocql.TypeInfo) ([]byte, error) { return gocql.Marshal(info, u.s) }

func (u *upper2) UnmarshalCQL(info gocql.TypeInfo, data []byte) error {
	return gocql.Unmarshal(info, data, &u.s)
}

var errUser = errors.New("secret")

func TestUserTypesAreUsedAsTheyAre(t *testing.T) {
	golden(t, "text", "61", upper("A"))
	golden(t, "text", "61", upper2{"a"})
	golden(t, "text", "61", &upper2{"a"})
	golden(t, "list<text>", "000000010000000161", []upper{"A"})
	golden(t, "vector<text, 1>", "0161", []upper2{{"a"}})
	got, err := decodeAs(typeOf(t, "text"), []byte("a"), upper("before"))
	require.NoError(t, err)
	require.Equal(t, upper("A"), got, "it starts from zero")
	p, err := decodeAs(typeOf(t, "text"), nil, &upper2{})
	require.NoError(t, err)
	require.Nil(t, p)
	cell, err := encodeOf[gocql.Marshaler](typeOf(t, "text"), nil)
	require.NoError(t, err)
	require.True(t, cell.Null)
	cell, err = encodeOf[*upper2](typeOf(t, "text"), nil)
	require.NoError(t, err)
	require.True(t, cell.Null)
}

func TestErrorsNameTheColumnAndNeverTheValue(t *testing.T) {
	_, err := decodeAs(typeOf(t, "text"), []byte("secret"), upper(""))
	require.ErrorIs(t, err, errUser)
	require.NotContains(t, err.Error(), "secret")
	require.ErrorContains(t, err, `decode column "c" (text, Go codec_test.upper)`)
	_, err = encodeOf(typeOf(t, "text"), upper("secret"))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
	for _, cql := range []string{"uuid", "inet", "date", "int", "varint"} {
		_, err := encodeOf(typeOf(t, cql), "secret")
		require.ErrorIs(t, err, codec.ErrValue)
		require.NotContains(t, err.Error(), "secret")
		var cell *codec.CellError
		require.ErrorAs(t, err, &cell)
		require.Equal(t, "c", cell.Column)
	}
	_, err = encodeOf(typeOf(t, "tinyint"), 31337)
	require.ErrorIs(t, err, codec.ErrRange)
	require.NotContains(t, err.Error(), "31337")
}
