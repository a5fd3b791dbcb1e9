package keyorder_test

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
)

func parsed(t testing.TB, cql string) *codec.Type {
	t.Helper()
	typ, err := codec.Parse(cql, func(string) (*codec.Type, error) {
		return &codec.Type{Kind: codec.UDT, Name: "udt", Fields: []codec.Field{
			{Name: "a", Type: &codec.Type{Kind: codec.Int}}, {Name: "b", Type: &codec.Type{Kind: codec.Text}},
		}}, nil
	})
	require.NoError(t, err)
	return typ
}

func comparator(t testing.TB, cql string) keyorder.Comparator {
	t.Helper()
	compare, err := keyorder.Of(parsed(t, cql))
	require.NoError(t, err, cql)
	return compare
}

// bytesOf reads hex digits; blanks are left out.
func bytesOf(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	require.NoError(t, err)
	return b
}

func double(v float64) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
}

func float(v float32) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint32(nil, math.Float32bits(v)))
}

// inOrder are values of each type in their order; values in one text, between bars, are one.
var inOrder = map[string][]string{
	"ascii":     {"", "41", "4142", "61"},
	"text":      {"", "00", "41", "4142", "61", "c3a9", "f09f9880"},
	"blob":      {"", "00", "0000", "01", "7f", "80", "ff", "ff00"},
	"boolean":   {"", "00", "01|02|ff"},
	"tinyint":   {"80", "ff", "00", "01", "7f"},
	"smallint":  {"8000", "80ff", "ff00", "ffff", "0000", "0001", "00ff", "7fff"},
	"int":       {"", "80000000", "ffffffff", "00000000", "00000001", "000000ff", "7fffffff"},
	"bigint":    {"", "8000000000000000", "ffffffffffffffff", "0000000000000000", "0000000000000001", "7fffffffffffffff"},
	"timestamp": {"", "8000000000000000", "ffffffffffffffff", "0000000000000000", "0000000000000001"},
	"date":      {"00000000", "7fffffff", "80000000", "ffffffff"},
	"time":      {"0000000000000000", "0000000000000001", "00004e94914effff", "ffffffffffffffff"},
	"float":     {"", float(float32(math.Inf(-1))), float(-1), "80000000", "00000000", float(1), float(float32(math.Inf(1))), "7fc00000|7fc00001|ffc00000"},
	"double":    {"", double(math.Inf(-1)), double(-1), "8000000000000000", double(0), double(1e-300), double(1), double(math.Inf(1)), "7ff8000000000000|fff8000000000001"},
	"inet":      {"", "00000000000000000000000000000001", "0a000001", "0a00000100000000000000000000ffff", "7f000001", "c8000001", "fe800000000000000000000000000001"},
	"uuid": {
		"",
		"00000000 0000 0fff 80 00 000000000000",                                          // version 0
		"ffffffff 0000 1000 80 00 000000000000", "00000000 0001 1000 80 00 000000000000", // version 1 by time
		"00000000 0000 1001 80 00 000000000000", "00000000 0000 1001 ff 00 000000000000",
		"00000000 ffff 4000 80 00 000000000000", "00000001 0000 4000 80 00 000000000000", // version 4 by bytes
		"80000000 0000 4000 80 00 000000000000",
		"00000000 0000 7000 80 00 000000000000",
	},
	"timeuuid": {
		"",
		"ffffffff 0000 1000 80 00 000000000000", "00000000 0001 1000 80 00 000000000000",
		"00000000 0000 1001 80 00 000000000000", "00000000 0000 1001 80 7f 000000000000", // the others as signed bytes
		"00000000 0000 1001 ff 00 000000000000", "00000000 0000 1001 00 80 000000000000", "00000000 0000 1001 00 00 000000000000", "00000000 0000 1001 7f 7f 000000000000",
	},
	"varint": {"", "80000000000000000000", "ff7f|ffff7f", "80|ff80", "ff|ffff|ffffff", "00|0000", "01|0001", "7f", "0080|000080", "0100", "7fffffffffffffffffff"},
	"decimal": {
		"", "80000000 ff", // -1e2147483648
		"00000000 f6|00000001 9c|ffffffff ff",
		"00000001 ff|00000002 f6", "00000000 00|00000005 00|ffffffff 0000",
		"7fffffff 01", "00000002 01|00000003 0a", "00000001 0a|00000002 64|00000000 01", "00000001 0b", "fffffffe 01|00000000 64", "80000000 01",
	},
	"frozen<list<int>>":           {"00000000", "00000001 00000004 ffffffff", "00000001 00000004 00000000", "00000002 00000004 00000000 00000004 00000000", "00000001 00000004 00000001"},
	"frozen<set<text>>":           {"00000000", "00000001 00000001 61", "00000002 00000001 61 00000001 62", "00000001 00000001 62"},
	"frozen<map<int, text>>":      {"00000000", "00000001 00000004 00000000 00000001 62", "00000001 00000004 00000001 00000000", "00000001 00000004 00000001 00000001 61", "00000002 00000004 00000001 00000001 61 00000004 00000002 00000000"},
	"frozen<tuple<int, text>>":    {"", "ffffffff ffffffff|ffffffff", "ffffffff 00000000", "00000004 ffffffff|00000004 ffffffff ffffffff", "00000004 00000000 ffffffff", "00000004 00000000 00000000", "00000004 00000000 00000001 61", "00000004 00000001|00000004 00000001 ffffffff"},
	"frozen<udt>":                 {"", "ffffffff|ffffffff ffffffff", "00000004 00000007|00000004 00000007 ffffffff", "00000004 00000007 00000001 61"},
	"vector<float, 2>":            {float(-1) + float(9), float(1) + float(-2), float(1) + float(2)},
	"vector<text, 2>":             {"00 00", "00 01 61", "01 61 00", "01 61 01 62", "02 6161 00"},
	"frozen<list<frozen<udt>>>":   {"00000000", "00000001 00000004 ffffffff", "00000001 00000008 00000004 00000001"},
	"frozen<set<decimal>>":        {"00000001 00000005 00000001 0a|00000001 00000005 00000002 64", "00000001 00000005 00000001 0b"},
	"vector<vector<int, 1>, 2>":   {"ffffffff 00000001", "00000001 ffffffff", "00000001 00000001"},
	"vector<frozen<set<int>>, 1>": {"04 00000000", "0c 00000001 00000004 ffffffff", "0c 00000001 00000004 00000001"},
}

func TestValuesOfEachTypeAreInTheOrderOfCassandra(t *testing.T) {
	for cql, groups := range inOrder {
		t.Run(cql, func(t *testing.T) {
			compare := comparator(t, cql)
			for i, one := range groups {
				for j, other := range groups {
					for _, a := range strings.Split(one, "|") {
						for _, b := range strings.Split(other, "|") {
							require.Equal(t, cmp.Compare(i, j), cmp.Compare(compare(bytesOf(t, a), bytesOf(t, b)), 0), "%s and %s", a, b)
						}
					}
				}
			}
		})
	}
}

func TestEveryKindOfTypeHasAnOrderOrIsRefused(t *testing.T) {
	kinds := map[codec.Kind]bool{}
	for cql := range inOrder {
		kinds[parsed(t, cql).Kind] = true
	}
	for _, cql := range []string{"duration", "counter", "'org.apache.cassandra.db.marshal.DynamicCompositeType'", "frozen<list<duration>>", "frozen<tuple<int, duration>>", "vector<duration, 2>"} {
		typ := parsed(t, cql)
		kinds[typ.Kind] = true
		_, err := keyorder.Of(typ)
		require.ErrorContains(t, err, "is not known", cql)
	}
	for kind := codec.Ascii; kind <= codec.Custom; kind++ {
		require.True(t, kinds[kind], "%s is not among the tests", kind)
	}
}

func TestAnyBytesHaveATotalOrder(t *testing.T) {
	for cql := range inOrder {
		compare := comparator(t, cql)
		t.Run(cql, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				a, b := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "a"), rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "b")
				require.Zero(t, compare(a, a))
				require.Equal(t, cmp.Compare(compare(a, b), 0), -cmp.Compare(compare(b, a), 0))
			})
		})
	}
}

func TestVarintsAndDecimalsAreInTheOrderOfTheirValues(t *testing.T) {
	varints, decimals := comparator(t, "varint"), comparator(t, "decimal")
	number := rapid.Custom(func(t *rapid.T) *big.Int {
		v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, rapid.SampledFrom([]int{1, 3, 12}).Draw(t, "most")).Draw(t, "magnitude"))
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		return v
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		require.Equal(t, a.Cmp(b), cmp.Compare(varints(twos(t, a), twos(t, b)), 0), "%v and %v", a, b)
		scaleA, scaleB := rapid.Int32Range(-8, 8).Draw(t, "scale a"), rapid.Int32Range(-8, 8).Draw(t, "scale b")
		if rapid.Bool().Draw(t, "equal") && scaleA > scaleB {
			a = new(big.Int).Mul(b, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scaleA-scaleB)), nil))
		}
		want := inf.NewDecBig(a, inf.Scale(scaleA)).Cmp(inf.NewDecBig(b, inf.Scale(scaleB)))
		x := append(binary.BigEndian.AppendUint32(nil, uint32(scaleA)), twos(t, a)...)
		y := append(binary.BigEndian.AppendUint32(nil, uint32(scaleB)), twos(t, b)...)
		require.Equal(t, want, cmp.Compare(decimals(x, y), 0), "%v·10^-%d and %v·10^-%d", a, scaleA, b, scaleB)
	})
}

// twos is a number in two's complement, with bytes that only repeat its sign.
func twos(t *rapid.T, v *big.Int) []byte {
	n := len(v.Bytes()) + 1 + rapid.IntRange(0, 2).Draw(t, "padding")
	sum := new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(8*n))) // 2^(8n) + v
	all := sum.FillBytes(make([]byte, n+1))
	return all[1:]
}

func TestADecimalOfAHugeScaleIsComparedAtOnce(t *testing.T) {
	compare := comparator(t, "decimal")
	huge, small := bytesOf(t, "80000000 01"), bytesOf(t, "7fffffff 01") // 1e2147483648 and 1e-2147483647
	require.Positive(t, compare(huge, small))
	require.Negative(t, compare(small, huge))
	require.Negative(t, compare(bytesOf(t, "80000000 01"), bytesOf(t, "80000000 02")))
}
