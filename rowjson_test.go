package rxcql_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

// cqlTypes are types of every kind, user-defined ones with a name that needs
// quotes and fields of their own.
func cqlTypes(t require.TestingT) []*codec.Type {
	street := &codec.Type{Kind: codec.Text}
	address := &codec.Type{Kind: codec.UDT, Keyspace: "ks", Name: "An Address", Fields: []codec.Field{
		{Name: "street", Type: street}, {Name: "Zip Code", Type: &codec.Type{Kind: codec.Int}},
		{Name: "seen", Type: &codec.Type{Kind: codec.List, Elems: []*codec.Type{street}, Frozen: true}},
	}}
	frozen := *address
	frozen.Frozen = true
	all := []*codec.Type{
		address, &frozen,
		{Kind: codec.List, Elems: []*codec.Type{&frozen}},
		{Kind: codec.Map, Elems: []*codec.Type{street, &frozen}, Frozen: true},
		{Kind: codec.Custom, Name: "com.example.Mine"},
	}
	for k := codec.Ascii; k < codec.List; k++ {
		all = append(all, &codec.Type{Kind: k})
	}
	for _, cql := range []string{
		"list<int>", "frozen<set<text>>", "map<text, frozen<list<bigint>>>", "tuple<int, tuple<text, int>>",
		"vector<float, 3>", "vector<text, 2>", "list<frozen<vector<float, 2>>>",
	} {
		typ, err := codec.Parse(cql, nil)
		require.NoError(t, err)
		all = append(all, typ)
	}
	return all
}

func TestARowOfAnyTypesGoesThroughJSONByteForByte(t *testing.T) {
	types := cqlTypes(t)
	rapid.Check(t, func(rt *rapid.T) {
		var cols []rxcql.Column
		var cells [][]byte
		for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 6, rapid.ID[string]).Draw(rt, "names") {
			cols = append(cols, rxcql.Column{Name: name, Type: rapid.SampledFrom(types).Draw(rt, "type")})
			var cell []byte // null
			if !rapid.Bool().Draw(rt, "null") {
				cell = append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(rt, "value")...) // empty is not nil
			}
			cells = append(cells, cell)
		}
		row := rxcql.NewRow(rxcql.NewColumns(cols), cells)
		data, err := json.Marshal(row)
		require.NoError(rt, err)
		var back rxcql.Row
		require.NoError(rt, json.Unmarshal(data, &back))
		require.Equal(rt, row.Len(), back.Len())
		for i := range cells {
			require.Equal(rt, cols[i].Name, back.Columns().List()[i].Name)
			require.Equal(rt, cells[i], back.Bytes(i), "null and empty are told apart")
			require.Equal(rt, cols[i].Type, back.Columns().List()[i].Type, "%s", data)
		}
	})
}

func TestAZeroRowIsNullInJSON(t *testing.T) {
	data, err := json.Marshal([]rxcql.Row{{}})
	require.NoError(t, err)
	require.Equal(t, "[null]", string(data))
	var back []rxcql.Row
	require.NoError(t, json.Unmarshal(data, &back))
	require.Nil(t, back[0].Columns())
	_, err = json.Marshal(rxcql.NewRow(rxcql.NewColumns([]rxcql.Column{{Name: "c"}}), [][]byte{nil}))
	require.ErrorContains(t, err, `column "c" has no type`)
}

func FuzzARowFromJSON(f *testing.F) {
	row := rxcql.NewRow(rxcql.NewColumns([]rxcql.Column{{Name: "a", Type: cqlTypes(f)[0]}}), [][]byte{{1}})
	seed, err := json.Marshal(row)
	require.NoError(f, err)
	for _, s := range []string{string(seed), `null`, `{}`, `{"columns":[]}`, `{"columns":null}`, `{"columns":[{"type":"list<"}]}`, `{"columns":[{"class":"x"}]}`, `[1]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var row rxcql.Row
		if json.Unmarshal(data, &row) != nil {
			return
		}
		again, err := json.Marshal(row)
		require.NoError(t, err)
		var back rxcql.Row
		require.NoError(t, json.Unmarshal(again, &back), "%s", again)
		require.Equal(t, row.Len(), back.Len())
		for i := range row.Len() {
			require.Equal(t, row.Bytes(i), back.Bytes(i))
		}
	})
}
