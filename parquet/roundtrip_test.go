package parquet_test

import (
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/source"
)

// simple are the types without parameters.
var simple = []string{
	"ascii", "bigint", "blob", "boolean", "counter", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint",
	"text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint",
}

// nested are types with parameters, of types that have some themselves.
var nested = []string{
	"list<int>", "list<text>", "set<uuid>", "map<text, bigint>", "map<int, frozen<list<text>>>", "tuple<int, text, frozen<set<int>>>",
	"frozen<addr>", "list<frozen<addr>>", "map<frozen<addr>, frozen<map<text, frozen<list<frozen<addr>>>>>>", "vector<float, 3>",
	"vector<text, 2>", "vector<frozen<list<int>>, 2>", "list<vector<float, 3>>", "frozen<list<frozen<list<frozen<list<int>>>>>>",
	"tuple<frozen<tuple<int, frozen<tuple<text, blob>>>>, int>", "set<frozen<map<date, duration>>>", "vector<vector<smallint, 2>, 2>",
	"map<timeuuid, frozen<tuple<decimal, varint>>>",
}

func TestWhatIsWrittenIsReadBackByteForByte(t *testing.T) {
	all := append(append([]string{}, simple...), nested...)
	rapid.Check(t, func(rt *rapid.T) {
		var cols []rxcql.Column
		for i, cql := range rapid.SliceOfN(rapid.SampledFrom(all), 1, 5).Draw(rt, "types") {
			name := rapid.SampledFrom([]string{"a", "Z", "b c", "x.y", "ä", `q"`}).Draw(rt, "name")
			cols = append(cols, rxcql.Column{Name: name + string(rune('0'+i)), Type: typeOf(t, cql)})
		}
		shared := rxcql.NewColumns(cols)
		var rows []rxcql.Row
		for range rapid.IntRange(0, 40).Draw(rt, "rows") {
			cells := make([][]byte, len(cols))
			for i, c := range cols {
				if rapid.IntRange(0, 4).Draw(rt, "null") > 0 {
					cells[i] = drawCell(rt, c.Type)
				}
			}
			rows = append(rows, rxcql.NewRow(shared, cells))
		}
		codecs := []parquet.Codec{parquet.Snappy, parquet.Zstd, parquet.Gzip, parquet.Uncompressed}
		path := filepath.Join(t.TempDir(), "rows.parquet")
		_, err := run(t, source.Of(rows...), parquet.Write[rxcql.Row](path, parquet.Types(cols...), parquet.Overwrite(),
			rapid.SampledFrom(codecs).Draw(rt, "codec")))
		require.NoError(t, err)

		size := rapid.IntRange(1, 50).Draw(rt, "page")
		got := read[rxcql.Row](t, path, parquet.Types(cols...), parquet.PageRows(size))
		require.Len(t, got, len(rows))
		for i, row := range got {
			for c := range cols {
				require.Equal(t, rows[i].Bytes(c), row.Bytes(c), "row %d, %s %s", i, cols[c].Name, cols[c].Type)
			}
		}
	})
}

// drawCell makes the canonical bytes of a value by the rules of the protocol.
func drawCell(t *rapid.T, typ *codec.Type) []byte {
	fixed := func(n int) []byte { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes") }
	switch typ.Kind {
	case codec.Ascii:
		return []byte(rapid.StringMatching(`[ -~]{0,12}`).Draw(t, "ascii"))
	case codec.Text:
		return []byte(rapid.String().Draw(t, "text"))
	case codec.Blob:
		return rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "blob")
	case codec.Boolean:
		return []byte{byte(rapid.IntRange(0, 1).Draw(t, "boolean"))}
	case codec.Tinyint:
		return fixed(1)
	case codec.Smallint:
		return fixed(2)
	case codec.Int, codec.Date, codec.Float:
		return fixed(4)
	case codec.Bigint, codec.Counter, codec.Timestamp, codec.Double:
		return fixed(8)
	case codec.Time:
		return binary.BigEndian.AppendUint64(nil, rapid.Uint64Range(0, 86399999999999).Draw(t, "time"))
	case codec.UUID, codec.Timeuuid:
		return fixed(16)
	case codec.Inet:
		return drawInet(fixed, rapid.Bool().Draw(t, "v6"))
	case codec.Varint:
		return drawVarint(t)
	case codec.Decimal:
		scale := rapid.Int32Range(-50, 50).Draw(t, "scale")
		return append(binary.BigEndian.AppendUint32(nil, uint32(scale)), drawVarint(t)...)
	case codec.Duration:
		return drawDuration(t)
	case codec.List, codec.Set, codec.Map:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		raw := binary.BigEndian.AppendUint32(nil, uint32(n))
		for range n {
			for _, e := range typ.Elems {
				raw = append(raw, sized(drawCell(t, e))...)
			}
		}
		return raw
	case codec.Vector:
		var raw []byte
		for range typ.Dim {
			e := drawCell(t, typ.Elems[0])
			if typ.Elems[0].PackedLen() == 0 {
				raw = append(raw, vint(uint64(len(e)))...)
			}
			raw = append(raw, e...)
		}
		return raw
	}
	raw := []byte{}
	for _, f := range fields(typ) {
		if rapid.IntRange(0, 3).Draw(t, "null field") == 0 {
			raw = append(raw, 0xff, 0xff, 0xff, 0xff)
		} else {
			raw = append(raw, sized(drawCell(t, f))...)
		}
	}
	return raw
}

func fields(typ *codec.Type) []*codec.Type {
	all := typ.Elems
	for _, f := range typ.Fields {
		all = append(all, f.Type)
	}
	return all
}

func sized(raw []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)
}

func drawVarint(t *rapid.T) []byte {
	raw := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "varint")
	for len(raw) > 1 && (raw[0] == 0 && raw[1] < 128 || raw[0] == 255 && raw[1] > 127) {
		raw = raw[1:]
	}
	return raw
}

func drawInet(fixed func(int) []byte, v6 bool) []byte {
	if !v6 {
		return fixed(4)
	}
	raw := fixed(16)
	raw[0] |= 1 // not an address of version 4 in one of version 6
	return raw
}

// drawDuration draws one whose parts have the same sign, as CQL asks.
func drawDuration(t *rapid.T) []byte {
	sign := int64(rapid.SampledFrom([]int{-1, 1}).Draw(t, "sign"))
	var raw []byte
	for _, most := range []int64{1<<31 - 1, 1<<31 - 1, 1<<63 - 1} {
		n := sign * rapid.Int64Range(0, most).Draw(t, "part")
		raw = append(raw, vint(uint64(n<<1)^uint64(n>>63))...)
	}
	return raw
}

// vint is a number of 1 to 9 bytes, whose leading ones tell how many follow the first.
func vint(v uint64) []byte {
	for n := 1; n < 9; n++ {
		if v < 1<<(7*n) {
			raw := binary.BigEndian.AppendUint64(nil, v)[8-n:]
			raw[0] |= ^byte(0xff >> (n - 1))
			return raw
		}
	}
	return append([]byte{0xff}, binary.BigEndian.AppendUint64(nil, v)...)
}
