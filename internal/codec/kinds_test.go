package codec_test

import (
	"database/sql"
	"encoding/binary"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
)

type (
	myInt    int32
	myText   string
	myBytes  []byte
	myID     [16]byte
	myBool   bool
	myFloat  float32
	unsigned uint16
)

func TestNamedGoTypesWorkAsWhatTheyAreMadeOf(t *testing.T) {
	golden(t, "int", "fffffffe", myInt(-2))
	golden(t, "text", "c3a9", myText("é"))
	golden(t, "blob", "00ff", myBytes{0, 255})
	golden(t, "blob", "00ff", "\x00\xff")
	golden(t, "ascii", "41", []byte("A"))
	golden(t, "uuid", "b84f6ea0010211ef0900000000000000", myID(bytesOf(t, "b84f6ea0010211ef0900000000000000")))
	golden(t, "boolean", "01", myBool(true))
	golden(t, "float", "3f800000", myFloat(1))
	golden(t, "int", "0000ffff", unsigned(65535))
	golden(t, "bigint", "fffffffffffffffe", "-2")
	golden(t, "counter", "0000000000000007", 7)
	golden(t, "time", "0000000000000007", time.Duration(7))
}

func TestWholeNumbersBeyondTheGoTypeAreErrors(t *testing.T) {
	big64 := func(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
	check := func(err error) { t.Helper(); require.ErrorIs(t, err, codec.ErrRange) }
	bigint := typeOf(t, "bigint")
	_, err := decodeAs(bigint, big64(128), int8(0))
	check(err)
	_, err = decodeAs(bigint, big64(-129), int8(0))
	check(err)
	_, err = decodeAs(bigint, big64(-1), uint8(0))
	check(err)
	_, err = decodeAs(bigint, big64(-1), uint64(0))
	check(err)
	_, err = decodeAs(bigint, big64(-1), uint(0))
	check(err)
	_, err = decodeAs(bigint, big64(math.MaxUint32+1), uint32(0))
	check(err)
	_, err = decodeAs(typeOf(t, "tinyint"), []byte{255}, uint8(0))
	check(err)
	v, err := decodeAs(bigint, big64(math.MaxInt32), int32(0))
	require.NoError(t, err)
	require.Equal(t, int32(math.MaxInt32), v)
}

func TestWholeNumbersBeyondTheColumnAreErrors(t *testing.T) {
	check := func(_ codec.Cell, err error) { t.Helper(); require.ErrorIs(t, err, codec.ErrRange) }
	check(encodeOf(typeOf(t, "int"), int64(math.MaxInt32+1)))
	check(encodeOf(typeOf(t, "int"), int64(math.MinInt32-1)))
	check(encodeOf(typeOf(t, "smallint"), 32768))
	check(encodeOf(typeOf(t, "tinyint"), uint8(128)))
	check(encodeOf(typeOf(t, "int"), uint32(math.MaxUint32)))
	check(encodeOf(typeOf(t, "bigint"), uint64(math.MaxUint64)))
	check(encodeOf(typeOf(t, "bigint"), new(big.Int).Lsh(big.NewInt(1), 63)))
	check(encodeOf(typeOf(t, "int"), "2147483648"))
	_, err := encodeOf(typeOf(t, "bigint"), "9223372036854775808")
	require.ErrorIs(t, err, codec.ErrValue)
	cell, err := encodeOf(typeOf(t, "int"), int64(math.MinInt32))
	require.NoError(t, err)
	require.Equal(t, []byte{0x80, 0, 0, 0}, cell.Bytes)
}

func TestNullIsToldFromZeroWhereTheGoTypeCan(t *testing.T) {
	type row struct {
		P  *int64              `cql:"p"`
		N  sql.Null[int32]     `cql:"n"`
		S  sql.NullString      `cql:"s"`
		T  sql.NullTime        `cql:"t"`
		L  []string            `cql:"l"`
		M  map[string]int      `cql:"m"`
		B  []byte              `cql:"b"`
		A  any                 `cql:"a"`
		PP **string            `cql:"pp"`
		V  []float32           `cql:"v"`
		Z  int64               `cql:"z"`
		ZS string              `cql:"zs"`
		ZA [2]int32            `cql:"za"`
		SM map[string]struct{} `cql:"sm"`
	}
	var cols []codec.Column
	for _, c := range [][2]string{{"p", "bigint"}, {"n", "int"}, {"s", "text"}, {"t", "timestamp"}, {"l", "list<text>"}, {"m", "map<text, int>"},
		{"b", "blob"}, {"a", "int"}, {"pp", "text"}, {"v", "vector<float, 3>"}, {"z", "bigint"}, {"zs", "text"}, {"za", "list<int>"}, {"sm", "set<text>"}} {
		cols = append(cols, codec.Column{Name: c[0], Type: typeOf(t, c[1])})
	}
	d, err := codec.NewDecoder[row](cols)
	require.NoError(t, err)
	e, err := codec.NewEncoder[row](cols)
	require.NoError(t, err)
	s, ps, n := "", new(string), int64(0)
	full := row{P: &n, N: sql.Null[int32]{Valid: true}, S: sql.NullString{Valid: true}, T: sql.NullTime{Time: time.UnixMilli(0).UTC(), Valid: true},
		L: []string{}, M: map[string]int{}, B: []byte{}, A: 0, PP: &ps, V: []float32{0, 0, 0}, Z: 1, ZS: s, ZA: [2]int32{1, 2}, SM: map[string]struct{}{}}
	cells := make([]codec.Cell, len(cols))
	_, err = e.Encode(nil, &full, cells)
	require.NoError(t, err)
	raw := make([][]byte, len(cols))
	for i, c := range cells {
		require.False(t, c.Null, cols[i].Name)
		require.NotNil(t, c.Bytes, cols[i].Name)
		raw[i] = c.Bytes
	}
	var got row
	_, err = d.Decode(raw, &got)
	require.NoError(t, err)
	require.Equal(t, full, got)

	_, err = d.Decode(make([][]byte, len(cols)), &got)
	require.NoError(t, err)
	require.Equal(t, row{}, got, "every field is reset")
	_, err = e.Encode(nil, &got, cells)
	require.NoError(t, err)
	for i, c := range cells {
		switch cols[i].Name {
		case "z", "zs", "za":
			require.False(t, c.Null, cols[i].Name)
		default:
			require.True(t, c.Null, cols[i].Name)
			require.Nil(t, c.Bytes)
		}
	}
}

func TestEmptyValuesAreZeroValues(t *testing.T) {
	empty := []byte{}
	n, err := decodeAs(typeOf(t, "int"), empty, int32(7))
	require.NoError(t, err)
	require.Zero(t, n)
	p, err := decodeAs[*int32](typeOf(t, "int"), empty, nil)
	require.NoError(t, err)
	require.Equal(t, new(int32), p, "empty is not null")
	at, err := decodeAs(typeOf(t, "timestamp"), empty, time.Now())
	require.NoError(t, err)
	require.True(t, at.IsZero())
	for _, cql := range []string{"bigint", "double", "float", "boolean", "uuid", "inet", "decimal", "varint", "date", "time", "duration", "counter"} {
		_, err := decodeAs[any](typeOf(t, cql), empty, nil)
		require.NoError(t, err, cql)
	}
}
