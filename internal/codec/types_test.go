package codec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
)

const pkg = "org.apache.cassandra.db.marshal."

// The classes are spelled as Cassandra 5.0.6 spells them.
func TestClassesOfTheServerAreReadAndWrittenAlike(t *testing.T) {
	for class, cql := range map[string]string{
		"VectorType(#FloatType , 3)":                  "vector<float, 3>",
		"VectorType(#VectorType(#FloatType , 3) , 2)": "vector<vector<float, 3>, 2>",
		"VectorType(#FrozenType(#UserType(ks,61646472,737472656574:#UTF8Type,5a6970:#Int32Type)) , 2)": "vector<frozen<addr>, 2>",
		"VectorType(#FrozenType(#MapType(#UTF8Type,#Int32Type)) , 2)":                                  "vector<frozen<map<text, int>>, 2>",
		"VectorType(#TupleType(#Int32Type,#UTF8Type) , 2)":                                             "vector<frozen<tuple<int, text>>, 2>",
		"VectorType(#FrozenType(#SetType(#Int32Type)) , 2)":                                            "vector<frozen<set<int>>, 2>",
		"VectorType(#SimpleDateType , 2)":                                                              "vector<date, 2>",
	} {
		class = pkg + strings.ReplaceAll(class, "#", pkg)
		got, err := codec.FromDriver(gocql.NewNativeType(4, gocql.TypeCustom, class))
		require.NoError(t, err, class)
		require.Equal(t, cql, got.String())
		require.Equal(t, class, got.Info().Custom())
		parsed, err := codec.Parse(cql, knownTypes)
		require.NoError(t, err)
		require.Equal(t, got, parsed)
	}
	for class, cql := range map[string]string{
		pkg + "ReversedType(" + pkg + "VectorType(" + pkg + "FloatType , 3))": "vector<float, 3>",
		pkg + "ListType(" + pkg + "VectorType(" + pkg + "FloatType,3))":       "list<vector<float, 3>>",
		"SimpleDateType":                           "date",
		pkg + "LexicalUUIDType":                    "uuid",
		pkg + "EmptyType":                          "'" + pkg + "EmptyType'",
		pkg + "CompositeType(" + pkg + "UTF8Type)": "'" + pkg + "CompositeType(" + pkg + "UTF8Type)'",
		pkg + "DynamicCompositeType(b=>BytesType)": "'" + pkg + "DynamicCompositeType(b=>BytesType)'",
	} {
		got, err := codec.FromDriver(gocql.NewNativeType(4, gocql.TypeCustom, class))
		require.NoError(t, err, class)
		require.Equal(t, cql, got.String())
		again, err := codec.Parse(got.String(), nil)
		require.NoError(t, err)
		require.Equal(t, got.String(), again.String())
	}
}

func TestTypesAreParsedAsTheSchemaSpellsThem(t *testing.T) {
	for in, want := range map[string]string{
		"frozen<list<frozen<tuple<int, text>>>>": "", "map<text, frozen<map<int, frozen<set<uuid>>>>>": "", "vector<float, 3>": "",
		"vector<text,2>": "vector<text, 2>", "varchar": "text", " INT ": "int", `frozen<"Addr">`: "", "frozen<ks.addr>": "frozen<addr>",
		`"ks"."Addr"`: `"Addr"`, `"a""b"`: "", `list<frozen<"li>st, x">>`: "", `"text"`: "", "frozen<int>": "int", "empty": "'" + pkg + "EmptyType'",
		"tuple<int>": "",
	} {
		got, err := codec.Parse(in, func(name string) (*codec.Type, error) {
			_, last, ok := strings.Cut(name, ".")
			if !ok {
				last = name
			}
			return &codec.Type{Kind: codec.UDT, Keyspace: "ks", Name: last}, nil
		})
		require.NoError(t, err, in)
		if want == "" {
			want = in
		}
		require.Equal(t, want, got.String())
	}
	shared := addrType()
	got, err := codec.Parse("frozen<addr>", func(string) (*codec.Type, error) { return shared, nil })
	require.NoError(t, err)
	require.True(t, got.Frozen)
	require.False(t, shared.Frozen, "what the caller gave stays as it is")
}

func TestWhatIsNoTypeIsRefused(t *testing.T) {
	lost := errors.New("lost")
	for _, in := range []string{"", "list", "list<>", "list<int", "list<int,int>", "map<int>", "int>", "int int", "vector<float>", "vector<float, 0>",
		"vector<float, -1>", "vector<float, x>", "vector<float, 99999999999>", "foo<int>", `"open`, "'open", "ks.", "tuple<>", "frozen<>", "nobody",
		"'org.apache.cassandra.db.marshal.ListType'", "'UserType(ks,zz)'", "'VectorType(FloatType)'", "'X(('", "list<broken>",
		strings.Repeat("list<", 1e5), "'" + strings.Repeat("ListType(", 1e5) + "'"} {
		_, err := codec.Parse(in, func(name string) (*codec.Type, error) {
			if name == "broken" {
				return nil, lost
			}
			return nil, nil
		})
		require.ErrorIs(t, err, codec.ErrType, "%.40s", in)
		_, err = codec.Parse(in, nil)
		require.ErrorIs(t, err, codec.ErrType)
	}
	for _, info := range []gocql.TypeInfo{nil, gocql.CollectionType{}, gocql.NewNativeType(4, 0x99, ""), gocql.NewNativeType(4, gocql.TypeList, ""),
		gocql.TupleTypeInfo{NativeType: gocql.NewNativeType(4, gocql.TypeTuple, "")},
		gocql.CollectionType{NativeType: gocql.NewNativeType(4, gocql.TypeList, "")}} {
		_, err := codec.FromDriver(info)
		require.ErrorIs(t, err, codec.ErrType)
	}
}

func TestTuplesAndUserTypesFitStructsSlicesAndMaps(t *testing.T) {
	type pair struct {
		N    *int32
		Note string `cql:"-"`
		S    string
	}
	type address struct {
		Zip    *int32 `cql:"Zip"`
		Street string `cql:"street"`
	}
	type row struct {
		T pair    `cql:"t"`
		A address `cql:"a"`
	}
	tuple, raw := typeOf(t, "frozen<tuple<int, text>>"), bytesOf(t, "00000004000000070000000161")
	seven := int32(7)
	golden(t, "tuple<int, text>", "00000004000000070000000161", &pair{N: &seven, S: "a"})
	golden(t, "tuple<int, text>", "00000004000000070000000161", []any{7, "a"})
	golden(t, "tuple<int, text>", "ffffffffffffffff", []any{nil, nil})
	golden(t, "tuple<int, int>", "000000040000000700000004ffffffff", [2]int32{7, -1})
	golden(t, "tuple<int, int>", "000000040000000700000004ffffffff", []int32{7, -1})
	golden(t, "addr", "000000016100000004000000ff", map[string]any{"street": "a", "Zip": 255})
	golden(t, "addr", "0000000161ffffffff", map[string]any{"street": "a", "Zip": nil})
	golden(t, "addr", "000000016100000004000000ff", map[string]string{"street": "a", "Zip": "255"})
	golden(t, "addr", "0000000161ffffffff", &address{Street: "a"})
	golden(t, "list<frozen<addr>>", "00000001000000090000000161ffffffff", []address{{Street: "a"}})

	short, err := decodeAs(tuple, raw[:8], []any{1, 2, 3})
	require.NoError(t, err)
	require.Equal(t, []any{7, nil}, short, "a tuple from before its type grew ends in nulls")
	_, err = decodeAs[any](addrType(), bytesOf(t, "000000016100000004000000ff00000000"), nil)
	require.ErrorContains(t, err, "prepare again if the type was altered")
	cell, err := encodeOf(addrType(), map[string]any{"street": "a"})
	require.NoError(t, err)
	require.Equal(t, bytesOf(t, "0000000161ffffffff"), cell.Bytes)
	_, err = encodeOf(addrType(), map[string]any{"strasse": "a"})
	require.ErrorIs(t, err, codec.ErrValue)
	_, err = encodeOf(tuple, []any{7})
	require.ErrorIs(t, err, codec.ErrValue)
	_, err = encodeOf(tuple, []any{"a", "b"})
	require.Error(t, err)
	_, err = encodeOf(typeOf(t, "vector<float, 3>"), []float32{1})
	require.ErrorIs(t, err, codec.ErrValue)
	_, err = encodeOf(typeOf(t, "vector<int, 1>"), []*int32{nil})
	require.ErrorIs(t, err, codec.ErrValue)

	d, err := codec.NewDecoder[row]([]codec.Column{{Name: "t", Type: tuple}, {Name: "a", Type: addrType()}})
	require.NoError(t, err)
	got := row{T: pair{Note: "kept?"}, A: address{Street: "old"}}
	_, err = d.Decode([][]byte{raw, nil}, &got)
	require.NoError(t, err)
	require.Equal(t, row{T: pair{N: &seven, S: "a", Note: "kept?"}}, got)
}
