package codec_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// fuzzTypes has every kind and the ways to nest them.
var fuzzTypes = []string{"ascii", "bigint", "blob", "boolean", "counter", "date", "decimal", "double", "duration", "float", "inet", "int",
	"smallint", "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint", "list<text>", "set<int>", "map<text, frozen<list<int>>>",
	"tuple<int, text, frozen<list<varint>>>", "addr", "vector<float, 3>", "vector<text, 2>", "vector<frozen<map<int, text>>, 2>",
	"list<frozen<addr>>", "vector<vector<decimal, 2>, 2>", "'some.Custom'"}

func FuzzDecode(f *testing.F) {
	for i := range fuzzTypes {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{0, 0, 0, 1, 0, 0, 0, 1, 'a'})
		f.Add(uint8(i), []byte{0x7f, 255, 255, 255, 255, 255, 255, 255})
		f.Add(uint8(i), bytes.Repeat([]byte{255}, 16))
		f.Add(uint8(i), []byte{0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		typ := typeOf(t, fuzzTypes[int(kind)%len(fuzzTypes)])
		given := bytes.Clone(raw)
		v, err := decodeAs[any](typ, raw, nil)
		if !bytes.Equal(given, raw) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		cell, err := encodeOf(typ, v)
		if err != nil || cell.Null {
			return // e.g. null elements of vectors
		}
		again, err := decodeAs[any](typ, cell.Bytes, nil)
		if err != nil {
			t.Fatalf("%s: what was encoded cannot be decoded: %v", typ, err)
		}
		twice, err := encodeOf(typ, again)
		if err != nil || !bytes.Equal(cell.Bytes, twice.Bytes) && !strings.Contains(typ.String(), "map") { // maps have no order
			t.Fatalf("%s: a value became another (%v)", typ, err)
		}
		for _, fn := range []func(*codec.Type, []byte) error{into[string], into[[]byte], into[int8], into[uint64], into[*int32], into[[]string],
			into[[2]int64], into[map[string]string], into[map[string]struct{}], into[[]*int64], into[[]any]} {
			_ = fn(typ, raw)
		}
	})
}

func into[T any](typ *codec.Type, raw []byte) error {
	var v T
	_, err := decodeAs(typ, raw, v)
	return err
}

func FuzzParse(f *testing.F) {
	for _, s := range fuzzTypes {
		f.Add(s)
	}
	f.Add(`frozen<"a""b">`)
	f.Add("map<int")
	f.Add("..0")
	f.Fuzz(func(t *testing.T, s string) {
		known := func(name string) (*codec.Type, error) {
			_, last, ok := strings.Cut(name, ".")
			if !ok || last == "" {
				last = name
			}
			return &codec.Type{Kind: codec.UDT, Name: last}, nil
		}
		typ, err := codec.Parse(s, known)
		if err != nil {
			return
		}
		again, err := codec.Parse(typ.String(), known)
		if err != nil {
			t.Fatalf("%q was spelled %q, which cannot be read: %v", s, typ, err)
		}
		if again.String() != typ.String() && !strings.Contains(s, `"`) {
			t.Fatalf("%q was spelled %q and then %q", s, typ, again)
		}
		_ = typ.Info()
	})
}

func FuzzFromDriver(f *testing.F) {
	for _, s := range fuzzTypes {
		typ, err := codec.Parse(s, knownTypes)
		if err != nil {
			f.Fatal(err)
		}
		for _, class := range []string{typ.Info().Custom(), "VectorType(" + typ.Info().Custom() + ",2)"} {
			f.Add(class)
		}
	}
	f.Add("UserType(ks,61,61:UTF8Type)")
	f.Add("\u2000")
	f.Add("FrozenType(ListType(ReversedType(Int32Type)))")
	f.Fuzz(func(t *testing.T, class string) {
		typ, err := codec.FromDriver(gocql.NewNativeType(4, gocql.TypeCustom, class))
		if err != nil {
			return
		}
		if info := typ.Info(); info.Type() == gocql.TypeCustom {
			again, err := codec.FromDriver(info)
			if err != nil || again.String() != typ.String() {
				t.Fatalf("%q became %v (%v)", class, again, err)
			}
		}
	})
}

func FuzzTags(f *testing.F) {
	f.Add(`cql:"id"`, `cql:"name"`)
	f.Add(`cql:"id"`, `cql:"id"`)
	f.Add(`cql:id`, `json:"a" cql:"-"`)
	f.Add(``, `cql:""`)
	f.Fuzz(func(t *testing.T, a, b string) {
		rt := reflect.StructOf([]reflect.StructField{
			{Name: "A", Type: reflect.TypeFor[int64](), Tag: reflect.StructTag(a)},
			{Name: "B", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(b)}})
		names, isStruct, err := codec.ColumnsOf(rt)
		if err == nil && (!isStruct || len(names) == 0 || len(names) == 2 && names[0] == names[1]) {
			t.Fatalf("%q", names)
		}
	})
}
