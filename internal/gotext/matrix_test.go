package gotext_test

import (
	"database/sql"
	"encoding/json"
	"math"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/gotext"
	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func typeOf(t *testing.T, cql string) *codec.Type {
	t.Helper()
	typ, err := codec.Parse(cql, func(name string) (*codec.Type, error) {
		return &codec.Type{Kind: codec.UDT, Keyspace: "ks", Name: name, Fields: []codec.Field{
			{Name: "street", Type: &codec.Type{Kind: codec.Text}}, {Name: "Zip", Type: &codec.Type{Kind: codec.Int}},
		}}, nil
	})
	require.NoError(t, err)
	return typ
}

func encode[T any](t *testing.T, typ *codec.Type, v T) []byte {
	t.Helper()
	e, err := codec.NewEncoder[T]([]codec.Column{{Name: "c", Type: typ}})
	require.NoError(t, err)
	cells := make([]codec.Cell, 1)
	_, err = e.Encode(nil, &v, cells)
	require.NoError(t, err)
	return cells[0].Bytes
}

func cellOf[T any](t *testing.T) *gotext.Cell {
	t.Helper()
	c, err := gotext.NewPlans(false).Of(reflect.TypeFor[T]())
	require.NoError(t, err)
	return c
}

// same checks a value both ways: what a Row of it is in a file is read into the Go
// type, what the Go type is in a file is read as a value of the CQL type and into
// the Go type again, as CSV and as JSON. typed reports whether the Go type's text
// tells the value of the CQL type.
func same[T any](t *testing.T, cql string, typed bool, values ...T) {
	t.Helper()
	typ, cell := typeOf(t, cql), cellOf[T](t)
	for i, v := range values {
		wire := encode(t, typ, v)
		read := func(from string, how func(unsafe.Pointer, []byte) error, text []byte) {
			t.Helper()
			var got T
			require.NoError(t, how(unsafe.Pointer(&got), text), "%s as %T, value %d, %s: %s", cql, v, i, from, text)
			require.Equal(t, wire, encode(t, typ, got), "%s as %T, value %d, %s: %s", cql, v, i, from, text)
		}
		text, err := codec.AppendText(nil, typ, wire)
		require.NoError(t, err)
		read("text of a Row", cell.Read, text)
		text, err = codec.AppendJSON(nil, typ, wire)
		require.NoError(t, err)
		read("JSON of a Row", cell.ReadJSON, text)

		text, err = cell.Append(nil, unsafe.Pointer(&v))
		require.NoError(t, err)
		read("text", cell.Read, text)
		if typed {
			got, err := codec.ParseText([]byte{}, typ, text)
			require.NoError(t, err, "%s as %T: %s", cql, v, text)
			require.Equal(t, wire, got, "%s as %T: %s", cql, v, text)
		}
		text, err = cell.AppendJSON(nil, unsafe.Pointer(&v))
		require.NoError(t, err)
		require.True(t, json.Valid(text), "%s", text)
		read("JSON", cell.ReadJSON, text)
		if typed {
			got, err := codec.ParseJSON([]byte{}, typ, text)
			require.NoError(t, err, "%s as %T: %s", cql, v, text)
			require.Equal(t, wire, got, "%s as %T: %s", cql, v, text)
		}
	}
}

type place struct {
	Street string `cql:"street"`
	Zip    *int   `cql:"Zip" json:"zipcode"`
}

type both struct {
	N *int
	T string
}

type word string

func TestEveryGoTypeReadsAndWritesTheFormsOfItsCQLTypes(t *testing.T) {
	huge, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	moment := time.Date(2017, 7, 31, 15, 49, 1, 638e6, time.UTC)
	day := time.Date(2017, 7, 31, 0, 0, 0, 0, time.UTC)
	far := []time.Time{time.UnixMilli(math.MaxInt64 / 2).UTC(), time.UnixMilli(-1 << 50).UTC(), time.UnixMilli(253402300800000).UTC(), {}}
	id := gocql.UUID{0xfe, 6: 0x11, 8: 0x80, 15: 9}
	zip := 7

	same(t, "text", true, "", "a\"\\\n\x00é\u2028", "0x41", "null", "NaN", " ")
	same(t, "ascii", true, word("a,b"))
	same(t, "blob", true, []byte{}, []byte{0, 0xff})
	same(t, "boolean", true, true, false)
	same(t, "boolean", true, sql.Null[bool]{V: true, Valid: true})
	same(t, "tinyint", true, int8(-128), int8(127))
	same(t, "smallint", true, int16(-5))
	same(t, "int", true, int32(math.MinInt32), 7)
	same(t, "int", true, 7, -7)
	same(t, "int", true, "7")
	same(t, "bigint", true, int64(math.MinInt64), int64(math.MaxInt64))
	same(t, "bigint", true, uint64(1)<<62)
	same(t, "bigint", true, "9223372036854775807")
	same(t, "bigint", true, *big.NewInt(5))
	same(t, "counter", true, int64(-3))
	same(t, "varint", true, huge, big.NewInt(0), big.NewInt(-129))
	same(t, "varint", true, *huge)
	same(t, "varint", true, huge.String())
	same(t, "varint", true, int64(5))
	same(t, "decimal", true, inf.NewDec(110, 2), inf.NewDec(-5, 0), inf.NewDec(1, -10), inf.NewDec(1, 30), inf.NewDec(7, 300),
		inf.NewDec(1, math.MaxInt32), inf.NewDec(1, math.MinInt32), inf.NewDecBig(huge, 12), inf.NewDec(0, 3))
	same(t, "decimal", true, *inf.NewDec(-1, 1))
	same(t, "float", true, float32(0.1), float32(math.Inf(-1)), math.Float32frombits(1<<31), math.Float32frombits(0x7fc00000))
	same(t, "double", true, 1e300, math.Inf(1), math.Copysign(0, -1), math.Float64frombits(0x7ff8000000000000), 5e-324)
	same(t, "inet", true, netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("2001:db8::ff"))
	same(t, "inet", true, net.IP{1, 2, 3, 4}, net.ParseIP("::1"))
	same(t, "inet", true, "1.2.3.4")
	same(t, "uuid", true, id)
	same(t, "uuid", true, [16]byte(id))
	same(t, "uuid", true, id.String())
	same(t, "timeuuid", true, &id)

	same(t, "timestamp", true, append(far, moment, moment.In(time.FixedZone("", 3600)), moment.In(time.FixedZone("", 1172)))...)
	same(t, "timestamp", true, moment.UnixMilli(), 0, -1)
	same(t, "timestamp", true, sql.NullTime{Time: moment, Valid: true})
	same(t, "date", true, day, time.Date(-5877641, 6, 23, 0, 0, 0, 0, time.UTC), time.Date(5881580, 7, 11, 0, 0, 0, 0, time.UTC))
	same(t, "date", true, "2017-07-31")
	same(t, "date", false, int32(-719529), int32(math.MinInt32))
	same(t, "date", false, day.UnixMilli())
	same(t, "time", true, time.Duration(0), 15*time.Hour+1, 24*time.Hour-1)
	same(t, "time", true, int64(1))
	same(t, "duration", true, gocql.Duration{Months: 14, Days: 3, Nanoseconds: 1}, gocql.Duration{Months: math.MinInt32, Days: math.MinInt32, Nanoseconds: math.MinInt64},
		gocql.Duration{Months: math.MaxInt32, Days: math.MaxInt32, Nanoseconds: math.MaxInt64}, gocql.Duration{})
	same(t, "duration", true, time.Hour, -time.Nanosecond)
	same(t, "duration", true, int64(-5))

	same(t, "list<int>", true, []int{3, 1}, []int{})
	same(t, "list<blob>", true, [][]byte{{0xca, 0xfe}, {}})
	same(t, "list<double>", true, []float64{math.Inf(1), 1.5})
	same(t, "list<timestamp>", true, []time.Time{moment})
	same(t, "set<date>", true, []time.Time{day})
	same(t, "set<text>", true, map[string]struct{}{"a": {}})
	same(t, "set<inet>", true, map[netip.Addr]struct{}{netip.MustParseAddr("::1"): {}})
	same(t, "map<int, text>", true, map[int]string{-1: ""})
	same(t, "map<text, int>", true, map[string]int{"": 1})
	same(t, "map<boolean, duration>", true, map[bool]gocql.Duration{true: {Months: 1}})
	same(t, "map<timestamp, double>", true, map[time.Time]float64{moment: math.Inf(-1)})
	same(t, "map<double, blob>", true, map[float64][]byte{math.Inf(1): {1}})
	same(t, "map<uuid, time>", true, map[gocql.UUID]time.Duration{id: time.Second})
	same(t, "map<frozen<tuple<int, text>>, int>", true, map[[2]string]int{{"1", "x"}: 2})
	same(t, "map<text, frozen<map<text, frozen<set<bigint>>>>>", true, map[string]map[string][]int64{"a": {"b": {1, 2}}})
	same(t, "tuple<int, text>", true, &both{&zip, "x"}, &both{nil, ""})
	same(t, "tuple<int, text>", true, &struct {
		A int    `json:"a"`
		B string `json:"b"`
	}{1, "x"})
	same(t, "list<frozen<tuple<int, text>>>", true, []both{{nil, "x"}, {&zip, ""}})
	same(t, "addr", false, &place{"s", &zip}, &place{})
	same(t, "frozen<list<addr>>", false, []place{{"s", nil}})
	same(t, "addr", true, &struct {
		Street *string `cql:"street"`
		Zip    int     `cql:"Zip"`
	}{nil, 7})
	same(t, "vector<float, 3>", true, []float32{1.5, 0, 3})
	same(t, "vector<float, 2>", true, [2]float32{1.5, 0})
	same(t, "vector<text, 2>", true, []string{"", "abc"})
	same(t, "vector<vector<int, 2>, 2>", true, [][2]int{{1, 2}, {3, 4}})
}

// What a text may mean in more than one way, or loses something, is refused.
func TestATextThatIsNotCertainIsRefused(t *testing.T) {
	refuse := func(err error, words string) {
		t.Helper()
		require.ErrorContains(t, err, words)
		require.NotContains(t, err.Error(), "77")
	}
	read := func(cell *gotext.Cell, p unsafe.Pointer, text string) error { return cell.Read(p, []byte(text)) }
	var at time.Time
	for text, words := range map[string]string{
		"1501516177": "its unit is not known", "2017-07-31 15:49:01": "has no zone", "2017-07-31T15:49": "has no zone",
		"31.07.2077": "not a time in RFC 3339", "2017-02-30": "not a time", "": "not a time",
	} {
		refuse(read(cellOf[time.Time](t), unsafe.Pointer(&at), text), words)
	}
	for _, text := range []string{"2017-07-31 15:49:01.638+0000", "2017-07-31T15:49:01.638Z", "2017-07-31 16:49:01.638+01", "2017-07-31 17:49:01.638+02:00"} {
		require.NoError(t, read(cellOf[time.Time](t), unsafe.Pointer(&at), text))
		require.Equal(t, int64(1501516141638), at.UnixMilli())
	}
	var span time.Duration
	refuse(read(cellOf[time.Duration](t), unsafe.Pointer(&span), "1mo77ns"), "months and days need a gocql.Duration")
	var millis int64
	refuse(read(cellOf[int64](t), unsafe.Pointer(&millis), "2017-07-31T15:49:01.638077Z"), "not a whole number")
	var b []byte
	refuse(read(cellOf[[]byte](t), unsafe.Pointer(&b), "iRAawd77"), "not base64")
	var on bool
	refuse(read(cellOf[bool](t), unsafe.Pointer(&on), "yes"), "true or false")
	require.NoError(t, read(cellOf[bool](t), unsafe.Pointer(&on), "True"))
	require.True(t, on)
	var n int
	refuse(read(cellOf[int](t), unsafe.Pointer(&n), " 77"), "blanks around it")
	refuse(read(cellOf[int](t), unsafe.Pointer(&n), ""), "empty, and not null")
	var list []int
	refuse(read(cellOf[[]int](t), unsafe.Pointer(&list), "['a', 77]"), "not valid JSON")
	for _, literal := range []string{"['a', 77]", "{'a': 77}", "{77, 1}", "(77, 'x')", "{ street: '77'}"} {
		refuse(read(cellOf[[]int](t), unsafe.Pointer(&list), literal), "a literal of CQL, as cqlsh writes it")
	}
	var m map[string]int
	refuse(read(cellOf[map[string]int](t), unsafe.Pointer(&m), `{"a":77,"a":1}`), "twice")
	var p place
	refuse(read(cellOf[place](t), unsafe.Pointer(&p), `{"street":"77","street":null}`), `"street" occurs twice`)
	refuse(read(cellOf[place](t), unsafe.Pointer(&p), `{"town":"77"}`), `unknown field "town"`)
	refuse(cellOf[string](t).ReadJSON(unsafe.Pointer(new(string)), []byte(`"\ud877"`)), "surrogate")

	for _, c := range []struct{ cql, text, words string }{
		{"date", "17377", "may be days or milliseconds"}, {"date", "2017-07-31T15:49:01Z", "would be lost"},
		{"date", "2017-07-31T00:00:00+02:00", "would be lost"}, {"timestamp", "2017-07-31 15:49:01", "has no zone"},
		{"timeuuid", "fe000100-0000-4000-8000-000000000077", "not of version 1"}, {"int", "", "an empty text where an int is needed"}, {"list<int>", "", "empty, and not null"}, {"int", "\"\"", "not a whole number"},
		{"inet", "fe80::1%eth0", "not an address"}, {"list<int>", "[1,null]", "null in a list"}, {"blob", "771=", "not base64"},
		{"map<text, int>", `{"a":1,"a":1}`, "twice"}, {"map<text, int>", "[]", "an array of JSON"}, {"text", "\xff", "not UTF-8"},
		{"vector<int, 2>", "[1]", "1 elements"}, {"tuple<int>", "[1,2]", "more than 1"}, {"addr", `{"x":1}`, "does not have"},
		{"addr", `{"Zip":1,"Zip":77}`, "twice"}, {"duration", "1mo-77d", "not a duration"}, {"decimal", "1e99999999999", "more than 32 bits"},
	} {
		_, err := codec.ParseText(nil, typeOf(t, c.cql), []byte(c.text))
		refuse(err, c.words)
	}
}
