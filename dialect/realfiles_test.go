package dialect_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/jsonline"
	"github.com/rxcql/rxcql/internal/lines"
)

// columnTypes are those of testdata/schema.cql.
var columnTypes = map[string]string{
	"pk": "text", "Ck": "int", "st": "text", "a": "ascii", "b": "bigint", "bl": "blob", "bo": "boolean", "d": "date", "de": "decimal",
	"dbl": "double", "du": "duration", "f": "float", "i": "inet", "n": "int", "sm": "smallint", "ti": "time", "ts": "timestamp",
	"tu": "timeuuid", "ty": "tinyint", "u": "uuid", "v": "varint", "select": "text", "li": "list<int>", "se": "set<text>",
	"ma": "map<text, timestamp>", "tup": "frozen<tuple<int, text>>", "ad": "place", "vec": "vector<float, 3>",
}

func realType(t *testing.T, column string) *dialect.Type {
	t.Helper()
	require.Contains(t, columnTypes, column)
	typ, err := codec.Parse(columnTypes[column], func(string) (*codec.Type, error) {
		return &codec.Type{Kind: codec.UDT, Name: "address", Frozen: true, Fields: []codec.Field{
			{Name: "street", Type: &codec.Type{Kind: codec.Text}}, {Name: "zip", Type: &codec.Type{Kind: codec.Int}},
			{Name: "tags", Type: &codec.Type{Kind: codec.Set, Frozen: true, Elems: []*codec.Type{{Kind: codec.Text}}}},
		}}, nil
	})
	require.NoError(t, err)
	return typ
}

type realRow map[string][]byte // null columns are missing

// realCSV reads all rows of a file, by key.
func realCSV(t *testing.T, path string, d dialect.Dialect) map[string]realRow {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	text, in, s := textOf(t, d), lines.New(f, 1<<20), csvrow.NewSplitter(csvrow.FormOf(d))
	var header []string
	rows := map[string]realRow{}
	for {
		s.Begin()
		record, err := in.Record(s.Open)
		if err == io.EOF {
			return rows
		}
		require.NoError(t, err)
		fields, err := s.Split(record)
		require.NoError(t, err, "line %d", in.Line())
		if header == nil {
			for _, f := range fields {
				header = append(header, string(f.Text))
			}
			in.Accept()
			continue
		}
		require.Len(t, fields, len(header))
		row := realRow{}
		for i, f := range fields {
			typ := realType(t, header[i])
			if text.Null(typ, f.Text, f.Quoted) {
				continue
			}
			row[header[i]], err = text.Parse([]byte{}, typ, f.Text)
			require.NoError(t, err, "line %d, column %s", in.Line(), header[i])
		}
		in.Accept()
		rows[fmt.Sprintf("%s %x", row["pk"], row["Ck"])] = row
	}
}

// realJSON reads all rows of a file, by key.
func realJSON(t *testing.T, path string, d dialect.Dialect) map[string]realRow {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	parse, in, rows := codec.TextParser(textOf(t, d).Parse), lines.New(f, 1<<20), map[string]realRow{}
	for {
		line, err := in.Record(nil)
		if err == io.EOF {
			return rows
		}
		require.NoError(t, err)
		row, fields := realRow{}, jsonline.NewParts(line)
		for {
			key, value, more := fields.NextField()
			if !more {
				break
			}
			name, err := jsonline.Unquote(key, nil)
			require.NoError(t, err)
			if string(value) == "null" {
				continue
			}
			row[string(name)], err = parse.JSON([]byte{}, realType(t, string(name)), value)
			require.NoError(t, err, "line %d, column %s", in.Line(), name)
		}
		in.Accept()
		rows[fmt.Sprintf("%s %x", row["pk"], row["Ck"])] = row
	}
}

// The files are the same rows, as two programs really wrote them.
func TestFilesThatCqlshAndDSBulkWroteAreReadInFullAndAreEqual(t *testing.T) {
	cqlsh := realCSV(t, "testdata/cqlsh.csv", dialect.Cqlsh())
	bulk := realCSV(t, "testdata/dsbulk.csv", dialect.DSBulk())
	require.Len(t, bulk, 201)
	require.Equal(t, bulk, realJSON(t, "testdata/dsbulk.json", dialect.DSBulk()))
	require.Len(t, cqlsh, 201)
	texts := map[string]bool{}
	for key, row := range bulk {
		other := cqlsh[key]
		require.NotNil(t, other, key)
		for name := range columnTypes {
			want, is := row[name], other[name]
			switch {
			case name == "vec" && want != nil: // cqlsh cuts floats to 5 digits
				require.Len(t, is, len(want), key)
				for i := 0; i < len(want); i += 4 {
					a, b := math.Float32frombits(binary.BigEndian.Uint32(want[i:])), math.Float32frombits(binary.BigEndian.Uint32(is[i:]))
					require.InDelta(t, a, b, 1e-5*math.Abs(float64(a)), key)
				}
			case (name == "li" || name == "se" || name == "ma") && string(want) == "\x00\x00\x00\x00": // not frozen: null
				require.Nil(t, is, "%s, %s", key, name)
			case name == "select" && want != nil && len(want) == 0: // cqlsh writes null and empty text alike
				require.Nil(t, is, key)
			default:
				require.Equal(t, want, is, "%s, %s", key, name)
			}
		}
		texts[string(row["select"])] = row["select"] != nil
	}
	for _, text := range []string{" leading and trailing ", "NULL", "line\nbreak", `back\slash`, "tab\there", `with "quotes"`, "it's", "ünïcödé 漢字 🚀"} {
		require.True(t, texts[text], text)
	}
	require.Equal(t, realRow{"pk": []byte("static-only"), "st": []byte("no rows here")}, cqlsh["static-only "])
}
