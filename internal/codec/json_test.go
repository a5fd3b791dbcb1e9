package codec_test

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
)

func jsonOf[T any](t *testing.T, cql string, v T) string {
	t.Helper()
	typ := typeOf(t, cql)
	cell, err := encodeOf(typ, v)
	require.NoError(t, err)
	out, err := codec.AppendJSON([]byte("x"), typ, cell.Bytes)
	require.NoError(t, err)
	require.True(t, json.Valid(out[1:]), "%s", out)
	require.Equal(t, byte('x'), out[0])
	return string(out[1:])
}

func TestValuesAsJSON(t *testing.T) {
	huge, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	moment := time.Date(2024, 2, 29, 23, 59, 59, 7e6, time.UTC)
	id := gocql.UUID{0xfe, 2: 1, 15: 9}
	for got, want := range map[string]string{
		jsonOf(t, "text", "a\"\\\n\r\t\x00ü\u2028<"):              "\"a\\\"\\\\\\n\\r\\t\\u0000ü\u2028<\"",
		jsonOf(t, "ascii", ""):                                    `""`,
		jsonOf(t, "bigint", int64(math.MinInt64)):                 "-9223372036854775808",
		jsonOf(t, "tinyint", int8(-3)):                            "-3",
		jsonOf(t, "varint", huge):                                 huge.String(),
		jsonOf(t, "decimal", inf.NewDec(-12345, 2)):               "-12345E-2",
		jsonOf(t, "decimal", inf.NewDec(5, 0)):                    "5",
		jsonOf(t, "decimal", inf.NewDec(1, math.MinInt32)):        "1E2147483648",
		jsonOf(t, "float", float32(0.1)):                          "0.1",
		jsonOf(t, "double", 1e300):                                "1e+300",
		jsonOf(t, "double", math.NaN()):                           `"NaN"`,
		jsonOf(t, "double", math.Inf(-1)):                         `"-Infinity"`,
		jsonOf(t, "float", float32(math.Inf(1))):                  `"Infinity"`,
		jsonOf(t, "boolean", true):                                "true",
		jsonOf(t, "blob", []byte{0, 255}):                         `"0x00ff"`,
		jsonOf(t, "blob", []byte{}):                               `"0x"`,
		jsonOf(t, "blob", []byte(nil)):                            "null",
		jsonOf(t, "timestamp", moment):                            `"2024-02-29T23:59:59.007Z"`,
		jsonOf(t, "timestamp", time.UnixMilli(math.MaxInt64)):     `"+292278994-08-17T07:12:55.807Z"`,
		jsonOf(t, "date", moment):                                 `"2024-02-29"`,
		jsonOf(t, "time", time.Hour+time.Nanosecond):              `"01:00:00.000000001"`,
		jsonOf(t, "duration", gocql.Duration{Months: 1, Days: 2}): `"1mo2d0ns"`,
		jsonOf(t, "duration", gocql.Duration{Months: math.MinInt32, Nanoseconds: math.MinInt64}): `"-2147483648mo0d9223372036854775808ns"`,
		jsonOf(t, "inet", netip.MustParseAddr("::ffff:1.2.3.4")):                                 `"::ffff:1.2.3.4"`,
		jsonOf(t, "uuid", id):                                         `"fe000100-0000-0000-0000-000000000009"`,
		jsonOf(t, "inet", netip.MustParseAddr("1.2.3.4")):             `"1.2.3.4"`,
		jsonOf(t, "inet", netip.MustParseAddr("::1")):                 `"::1"`,
		jsonOf(t, "list<int>", []int{1, 2}):                           "[1,2]",
		jsonOf(t, "list<int>", []int{}):                               "[]",
		jsonOf(t, "set<text>", []string{"a"}):                         `["a"]`,
		jsonOf(t, "map<int, list<text>>", map[int][]string{1: {"x"}}): `{"1":["x"]}`,
		jsonOf(t, "map<text, double>", map[string]float64{"k": 2}):    `{"k":2}`,
		jsonOf(t, "tuple<int, text>", []any{nil, "b"}):                `[null,"b"]`,
		jsonOf(t, "addr", map[string]any{"street": "s", "Zip": 7}):    `{"street":"s","Zip":7}`,
		jsonOf(t, "vector<float, 2>", []float32{1, 2.5}):              "[1,2.5]",
		jsonOf(t, "vector<text, 2>", []string{"a", ""}):               `["a",""]`,
	} {
		require.Equal(t, want, got)
	}
}

func TestEmptyAndShortValuesAsJSON(t *testing.T) {
	for cql, want := range map[string]string{"int": `""`, "timestamp": `""`, "inet": `""`, "list<int>": `""`, "tuple<int, int>": "[null,null]",
		"addr": `{"street":null,"Zip":null}`} {
		out, err := codec.AppendJSON(nil, typeOf(t, cql), []byte{})
		require.NoError(t, err)
		require.Equal(t, want, string(out), cql)
	}
}

func TestTextIsWrittenWithoutQuotesAndUnchanged(t *testing.T) {
	for _, c := range []struct{ cql, raw, want string }{
		{"text", "2261", `"a`}, {"text", "ff", "\xff"}, {"text", "", ""}, {"int", "", ""}, {"int", "00000007", "7"},
		{"time", "ffffffffffffffff", "-1"}, {"blob", "07", "0x07"}, {"date", "80000000", "1970-01-01"}, {"list<text>", "00000001000000012c", `[","]`}, {"boolean", "01", "true"},
	} {
		out, err := codec.AppendText([]byte(">"), typeOf(t, c.cql), bytesOf(t, c.raw))
		require.NoError(t, err)
		require.Equal(t, ">"+c.want, string(out))
	}
}

func TestWhatIsNoValueHasNoJSON(t *testing.T) {
	for cql, raw := range map[string]string{"int": "00", "uuid": "00", "inet": "00", "boolean": "0000", "decimal": "00", "duration": "00",
		"list<int>": "ffffffff", "map<int, int>": "00000001", "tuple<int>": "00000009", "vector<float, 2>": "00000000", "vector<text, 1>": "05"} {
		_, err := codec.AppendJSON(nil, typeOf(t, cql), bytesOf(t, raw))
		require.ErrorIs(t, err, codec.ErrCorrupt, cql)
	}
	_, err := codec.AppendJSON(nil, typeOf(t, "text"), []byte("secret\xff"))
	require.ErrorIs(t, err, codec.ErrValue)
	require.NotContains(t, err.Error(), "secret")
}

func FuzzValuesAsJSON(f *testing.F) {
	types := []string{"text", "int", "varint", "decimal", "double", "float", "timestamp", "date", "time", "duration", "inet", "uuid", "blob",
		"list<text>", "map<frozen<list<int>>, text>", "tuple<int, text>", "addr", "vector<text, 3>", "vector<float, 2>", "boolean", "bigint"}
	for i := range types {
		f.Add(i, []byte{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9})
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		typ := typeOf(t, types[uint(i)%uint(len(types))])
		out, err := codec.AppendJSON(nil, typ, data)
		if err == nil {
			require.True(t, json.Valid(out), "%s: %s", typ, out)
			_, err = codec.AppendText(nil, typ, data)
			require.NoError(t, err)
		}
	})
}
