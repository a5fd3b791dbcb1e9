package dialect_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/csvrow"
)

func typeOf(t require.TestingT, cql string) *codec.Type {
	typ, err := codec.Parse(cql, nil)
	require.NoError(t, err)
	return typ
}

func decimalOf(unscaled string, scale int32) []byte {
	n, _ := new(big.Int).SetString(unscaled, 10)
	return append(binary.BigEndian.AppendUint32(nil, uint32(scale)), twos(n)...)
}

// twos is a number in two's complement, in as few bytes as hold it.
func twos(n *big.Int) []byte {
	size := n.BitLen()/8 + 1
	if n.Sign() < 0 {
		size = new(big.Int).Not(n).BitLen()/8 + 1
	}
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return n.FillBytes(make([]byte, size))
}

func millis(ms int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(ms)) }

func TestValuesAreSpelledAsOtherProgramsSpellThem(t *testing.T) {
	rfc, cqlsh, dsbulk := dialect.RFC4180(), dialect.Cqlsh(), dialect.DSBulk()
	plain, exponent, short := rfc, rfc, rfc
	plain.Decimals, exponent.Decimals, short.MaxDigits = dialect.DecimalPlain, dialect.DecimalExponent, 5
	for _, c := range []struct {
		d    dialect.Dialect
		typ  string
		data []byte
		want string
	}{
		{rfc, "boolean", []byte{1}, "true"},
		{cqlsh, "boolean", []byte{0}, "False"},
		{dsbulk, "boolean", []byte{1}, "1"},
		{cqlsh, "timestamp", millis(1501516141638), "2017-07-31 15:49:01.638+0000"},
		{dsbulk, "timestamp", millis(1501516141638), "2017-07-31T15:49:01.638Z"},
		{dsbulk, "timestamp", millis(1501516141000), "2017-07-31T15:49:01Z"},
		{rfc, "timestamp", millis(-1), "1969-12-31T23:59:59.999Z"},
		{rfc, "timestamp", millis(253402300800000), "253402300800000"},
		{dsbulk, "time", millis(int64(15*time.Hour + 49*time.Minute + 10)), "15:49:00.00000001"},
		{rfc, "time", millis(-1), "-1"},
		{dsbulk, "blob", []byte{0, 255}, "AP8="},
		{dsbulk, "blob", []byte{0xd3, 0x1f, 0x8c}, "0xd31f8c"}, // 0x+M is no hexadecimal number, 0x+... see below
		{cqlsh, "blob", []byte{0, 255}, "0x00ff"},
		{rfc, "decimal", decimalOf("123450", 3), "123.450"},
		{rfc, "decimal", decimalOf("-5", 3), "-0.005"},
		{rfc, "decimal", decimalOf("-1", 7), "-1E-7"},
		{rfc, "decimal", decimalOf("15", -29), "1.5E+30"},
		{rfc, "decimal", decimalOf("0", 0), "0"},
		{plain, "decimal", decimalOf("1", 8), "0.00000001"},
		{plain, "decimal", decimalOf("15", -29), "15E29"},
		{exponent, "decimal", decimalOf("123450", 3), "123450E-3"},
		{short, "decimal", decimalOf("1234567", 3), "1234567E-3"},
		{rfc, "list<boolean>", []byte{0, 0, 0, 1, 0, 0, 0, 1, 1}, "[true]"},
		{dsbulk, "list<blob>", []byte{0, 0, 0, 1, 0, 0, 0, 1, 1}, `["AQ=="]`},
		{cqlsh, "list<boolean>", []byte{0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0}, "[True, False]"},
		{cqlsh, "map<text, int>", []byte{0, 0, 0, 1, 0, 0, 0, 3, 'i', '\'', 's', 0, 0, 0, 4, 0, 0, 0, 7}, "{'i''s': 7}"},
		{cqlsh, "frozen<tuple<int, text>>", []byte{255, 255, 255, 255, 0, 0, 0, 0}, "(, '')"},
		{dsbulk, "map<int, decimal>", append([]byte{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 5}, decimalOf("5", 1)...), `{"7":0.5}`},
	} {
		text, err := dialect.NewText(c.d)
		require.NoError(t, err)
		got, err := text.Append(nil, typeOf(t, c.typ), c.data)
		require.NoError(t, err, c.want)
		if c.typ == "blob" && c.want == "0xd31f8c" { // only base64 that looks like hexadecimal digits is not written
			require.Contains(t, []string{"0xd31f8c", "0x+M"}, string(got))
			continue
		}
		require.Equal(t, c.want, string(got), "%s %s", c.d.Name, c.typ)
	}
}

func TestErrorsHoldNoValue(t *testing.T) {
	text, err := dialect.NewText(dialect.DSBulk())
	require.NoError(t, err)
	for typ, data := range map[string][]byte{"text": []byte("secret\xff"), "int": {1, 2}, "boolean": {1, 2}, "decimal": {1}, "list<int>": {0, 0, 0, 9}} {
		_, err := text.Append(nil, typeOf(t, typ), data)
		require.Error(t, err, typ)
		require.NotContains(t, err.Error(), "secret")
	}
}

var scalars = map[string]*rapid.Generator[[]byte]{
	"text": rapid.Custom(func(t *rapid.T) []byte { return []byte(rapid.String().Draw(t, "text")) }),
	"blob": rapid.Custom(func(t *rapid.T) []byte { return rapid.SliceOf(rapid.Byte()).Draw(t, "blob") }),
	"int":  fixed(4), "bigint": fixed(8), "uuid": fixed(16), "inet": fixed(4), "tinyint": fixed(1),
	"boolean": rapid.Custom(func(t *rapid.T) []byte { return []byte{byte(rapid.IntRange(0, 1).Draw(t, "boolean"))} }),
	"decimal": rapid.Custom(func(t *rapid.T) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(rapid.Int32Range(-1500, 1500).Draw(t, "scale"))),
			twos(big.NewInt(rapid.Int64().Draw(t, "unscaled")))...)
	}),
	"double": rapid.Custom(func(t *rapid.T) []byte {
		return millis(int64(math.Float64bits(rapid.Float64().Draw(t, "double"))))
	}),
	"timestamp": rapid.Custom(func(t *rapid.T) []byte { return millis(rapid.Int64().Draw(t, "timestamp")) }),
	"date":      fixed(4),
	"time": rapid.Custom(func(t *rapid.T) []byte {
		return millis(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "time"))
	}),
}

func fixed(n int) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes") })
}

// valueOf draws a type and a value of it: of a single kind, or of such in a list, a map or a tuple.
func valueOf(t *rapid.T) (typ string, data []byte) {
	kinds := rapid.SampledFrom([]string{"text", "blob", "int", "bigint", "uuid", "inet", "tinyint", "boolean", "decimal", "double", "timestamp", "date", "time"})
	kind := kinds.Draw(t, "kind")
	part := func(name string) []byte {
		cell := scalars[name].Draw(t, name)
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(cell))), cell...)
	}
	switch rapid.IntRange(0, 3).Draw(t, "form") {
	case 0:
		n := rapid.IntRange(0, 3).Draw(t, "n")
		data = binary.BigEndian.AppendUint32(nil, uint32(n))
		for range n {
			data = append(data, part(kind)...)
		}
		return "list<" + kind + ">", data
	case 1:
		return "map<" + kind + ", text>", append(append([]byte{0, 0, 0, 1}, part(kind)...), part("text")...)
	case 2:
		null := []byte{255, 255, 255, 255}
		return "frozen<tuple<" + kind + ", text, " + kind + ">>", append(append(part(kind), part("text")...), null...)
	}
	return kind, scalars[kind].Draw(t, kind)
}

func TestWhatIsWrittenIsReadBackAsTheSameBytes(t *testing.T) {
	odd := dialect.Cqlsh()
	odd.Name, odd.Separator, odd.Quote, odd.Escapes, odd.Null = "odd", '|', '\'', dialect.EscapesNone, "NULL"
	odd.Decimals, odd.Blobs, odd.Zone = dialect.DecimalPlain, dialect.BlobBase64, time.FixedZone("", 5*3600+1800)
	for _, d := range []dialect.Dialect{dialect.RFC4180(), dialect.Cqlsh(), dialect.DSBulk(), odd} {
		t.Run(d.Name, func(t *testing.T) {
			text, err := dialect.NewText(d)
			require.NoError(t, err)
			form := csvrow.FormOf(d)
			rapid.Check(t, func(rt *rapid.T) {
				name, data := valueOf(rt)
				typ := typeOf(rt, name)
				made, err := text.Append(nil, typ, data)
				require.NoError(rt, err)
				record, err := form.Append([]byte("before,"), made)
				require.NoError(rt, err)
				record = append(record[len("before,"):], '\n')

				split := csvrow.NewSplitter(form)
				split.Begin()
				for rest := record; len(rest) > 0; {
					end := len(rest)
					for i, c := range rest {
						if c == '\n' {
							end = i + 1
							break
						}
					}
					more := split.Open(rest[:end])
					rest = rest[end:]
					require.Equal(rt, len(rest) > 0, more, "%q", record)
				}
				fields, err := split.Split(record)
				require.NoError(rt, err, "%q", record)
				require.Len(rt, fields, 1, "%q", record)
				require.False(rt, text.Null(typ, fields[0].Text, fields[0].Quoted), "%q", record)
				back, err := text.Parse([]byte{}, typ, fields[0].Text)
				require.NoError(rt, err, "%q", record)
				require.Equal(rt, data, back, "%q", record)
			})
		})
	}
}
