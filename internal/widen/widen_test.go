package widen_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/widen"
)

func parsed(t require.TestingT, cql string) *codec.Type {
	udts := map[string]*codec.Type{
		"small": {Kind: codec.UDT, Name: "small", Fields: []codec.Field{{Name: "n", Type: &codec.Type{Kind: codec.Int}}}},
		"large": {Kind: codec.UDT, Name: "large", Fields: []codec.Field{
			{Name: "n", Type: &codec.Type{Kind: codec.Bigint}}, {Name: "more", Type: &codec.Type{Kind: codec.Text}},
		}},
		"longer": {Kind: codec.UDT, Name: "longer", Fields: []codec.Field{
			{Name: "n", Type: &codec.Type{Kind: codec.Int}}, {Name: "more", Type: &codec.Type{Kind: codec.Text}},
		}},
		"other": {Kind: codec.UDT, Name: "other", Fields: []codec.Field{{Name: "m", Type: &codec.Type{Kind: codec.Int}}}},
	}
	typ, err := codec.Parse(cql, func(name string) (*codec.Type, error) { return udts[name], nil })
	require.NoError(t, err)
	return typ
}

func encoded(t require.TestingT, typ *codec.Type, value any) []byte {
	data, known, err := codec.EncodeValue(typ, value)
	require.NoError(t, err)
	require.True(t, known, "%s of %T", typ, value)
	return data
}

// widened widens the bytes of a Go value, behind bytes that must stay.
func widened(t require.TestingT, from, to string, value any) []byte {
	fn, err := widen.New(parsed(t, from), parsed(t, to))
	require.NoError(t, err)
	data := encoded(t, parsed(t, from), value)
	if fn == nil {
		return data
	}
	out, err := fn([]byte("before"), data)
	require.NoError(t, err)
	require.Equal(t, "before", string(out[:6]))
	return out[6:]
}

// The codec encodes the same Go value for both types: that is what must come out.
func TestAWholeNumberIsTheSameNumberInEveryWiderType(t *testing.T) {
	kinds := map[string]int{"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom([]string{"tinyint", "smallint", "int", "bigint"}).Draw(t, "from")
		to := rapid.SampledFrom([]string{"tinyint", "smallint", "int", "bigint", "varint"}).Draw(t, "to")
		bits := kinds[from]
		v := rapid.Int64Range(-1<<(bits-1), 1<<(bits-1)-1).Draw(t, "value")
		if wide, known := kinds[to]; known && wide < bits {
			_, err := widen.New(parsed(t, from), parsed(t, to))
			require.Error(t, err)
			return
		}
		require.Equal(t, encoded(t, parsed(t, to), v), widened(t, from, to, v))
	})
}

func TestFloatsKeepTheirValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float32().Draw(t, "value")
		require.Equal(t, encoded(t, parsed(t, "double"), float64(v)), widened(t, "float", "double", v))
		n := rapid.Int32().Draw(t, "number")
		require.Equal(t, encoded(t, parsed(t, "double"), float64(n)), widened(t, "int", "double", n))
		s := rapid.Int16().Draw(t, "short")
		require.Equal(t, encoded(t, parsed(t, "float"), float32(s)), widened(t, "smallint", "float", s))
	})
	negative := math.Float32frombits(1 << 31)
	require.Equal(t, encoded(t, parsed(t, "double"), math.Copysign(0, -1)), widened(t, "float", "double", negative))
}

func TestDecimalsOfWholeNumbersHaveScaleZero(t *testing.T) {
	require.Equal(t, []byte{0, 0, 0, 0, 0xff, 0x7f}, widened(t, "int", "decimal", int32(-129)))
	require.Equal(t, []byte{0, 0, 0, 0, 0x00, 0x80}, widened(t, "varint", "decimal", int64(128)))
}

func TestElementsAreWidenedInsideOfOtherTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Int32()).Draw(t, "list")
		wide := make([]int64, len(list))
		for i, v := range list {
			wide[i] = int64(v)
		}
		require.Equal(t, encoded(t, parsed(t, "list<bigint>"), wide), widened(t, "list<int>", "list<bigint>", list))
		require.Equal(t, encoded(t, parsed(t, "list<frozen<list<bigint>>>"), [][]int64{wide, {}}),
			widened(t, "list<frozen<list<int>>>", "list<frozen<list<bigint>>>", [][]int32{list, {}}))
		if len(list) > 0 {
			one := map[int32]string{list[0]: "text"}
			require.Equal(t, encoded(t, parsed(t, "map<bigint, text>"), map[int64]string{wide[0]: "text"}),
				widened(t, "map<int, ascii>", "map<bigint, text>", one))
		}
	})
	vector := [2]float32{1.5, -2}
	require.Equal(t, encoded(t, parsed(t, "vector<double, 2>"), [2]float64{1.5, -2}), widened(t, "vector<float, 2>", "vector<double, 2>", vector))
	require.Equal(t, encoded(t, parsed(t, "tuple<bigint, text>"), []any{int64(7), nil}), widened(t, "tuple<int, text>", "tuple<bigint, text>", []any{int32(7), nil}))
}

func TestAUserDefinedTypeMayHaveWiderAndMoreFields(t *testing.T) {
	small := encoded(t, parsed(t, "small"), map[string]any{"n": int32(-5)})
	fn, err := widen.New(parsed(t, "small"), parsed(t, "large"))
	require.NoError(t, err)
	large, err := fn(nil, small)
	require.NoError(t, err)
	text, err := codec.AppendJSON(nil, parsed(t, "large"), large)
	require.NoError(t, err)
	require.JSONEq(t, `{"n": -5, "more": null}`, string(text))

	fn, err = widen.New(parsed(t, "small"), parsed(t, "longer"))
	require.NoError(t, err)
	require.Nil(t, fn, "the bytes are a value as they are")
}

func TestBytesThatStayNeedNoFunction(t *testing.T) {
	for _, pair := range [][2]string{{"int", "int"}, {"ascii", "text"}, {"text", "blob"}, {"timeuuid", "uuid"}, {"counter", "bigint"},
		{"list<int>", "frozen<list<int>>"}, {"set<ascii>", "set<text>"}, {"vector<float, 3>", "vector<float, 3>"}} {
		fn, err := widen.New(parsed(t, pair[0]), parsed(t, pair[1]))
		require.NoError(t, err, pair)
		require.Nil(t, fn, pair)
	}
}

func TestTypesThatCannotHoldEveryValueAreRefused(t *testing.T) {
	for _, pair := range [][2]string{
		{"bigint", "int"}, {"bigint", "counter"}, {"int", "counter"}, {"bigint", "double"}, {"int", "float"}, {"double", "float"},
		{"text", "ascii"}, {"blob", "text"}, {"uuid", "timeuuid"}, {"int", "text"}, {"decimal", "double"}, {"varint", "bigint"},
		{"list<bigint>", "list<int>"}, {"list<int>", "set<int>"}, {"map<int, int>", "map<int, text>"}, {"tuple<int>", "tuple<int, int>"},
		{"vector<float, 3>", "vector<float, 4>"}, {"vector<smallint, 2>", "vector<int, 2>"}, {"large", "small"}, {"small", "other"},
		{"timestamp", "bigint"}, {"boolean", "tinyint"},
	} {
		_, err := widen.New(parsed(t, pair[0]), parsed(t, pair[1]))
		require.Error(t, err, pair)
	}
}

func TestBytesThatAreNoValueAreAnErrorWithoutThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SampledFrom([][2]string{{"int", "bigint"}, {"float", "double"}, {"list<int>", "list<bigint>"}, {"small", "large"},
			{"map<int, text>", "map<varint, text>"}, {"vector<float, 2>", "vector<double, 2>"}, {"tuple<int, int>", "tuple<int, bigint>"}}).Draw(t, "types")
		fn, err := widen.New(parsed(t, pair[0]), parsed(t, pair[1]))
		require.NoError(t, err)
		data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
		out, err := fn(nil, data) // it must return, whatever the bytes say
		if err == nil && len(data) > 0 {
			require.NotEmpty(t, out)
		}
	})
	fn, err := widen.New(parsed(t, "int"), parsed(t, "bigint"))
	require.NoError(t, err)
	_, err = fn(nil, []byte("secret"))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
	empty, err := fn(nil, []byte{})
	require.NoError(t, err)
	require.Empty(t, empty, "an empty value stays one")
}
