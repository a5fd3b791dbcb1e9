package dialect_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
)

func namedType(t testing.TB, cql string) *dialect.Type {
	t.Helper()
	typ, err := codec.Parse(cql, func(string) (*codec.Type, error) {
		return &codec.Type{Kind: codec.UDT, Keyspace: "ks", Name: "place", Frozen: true, Fields: []codec.Field{
			{Name: "street", Type: &codec.Type{Kind: codec.Text}}, {Name: "Zip: code", Type: &codec.Type{Kind: codec.Int}},
			{Name: "Zip", Type: &codec.Type{Kind: codec.Time}},
			{Name: "tags", Type: &codec.Type{Kind: codec.Set, Frozen: true, Elems: []*codec.Type{{Kind: codec.Text}}}},
		}}, nil
	})
	require.NoError(t, err)
	return typ
}

func textOf(t testing.TB, d dialect.Dialect) *dialect.Text {
	t.Helper()
	text, err := dialect.NewText(d)
	require.NoError(t, err)
	return text
}

// means checks that a text is read as the value that the toolkit's own text stands for.
func means(t *testing.T, d dialect.Dialect, cql, text, own string) {
	t.Helper()
	typ := namedType(t, cql)
	want, err := codec.ParseText(nil, typ, []byte(own))
	require.NoError(t, err, own)
	got, err := textOf(t, d).Parse(nil, typ, []byte(text))
	require.NoError(t, err, "%s: %s", cql, text)
	require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got), "%s: %s", cql, text)
}

func refused(t *testing.T, d dialect.Dialect, cql, text, says string) {
	t.Helper()
	_, err := textOf(t, d).Parse(nil, namedType(t, cql), []byte(text))
	require.ErrorContains(t, err, says, "%s: %s", cql, text)
}

func TestSingleValuesAreReadAsOtherProgramsSpellThem(t *testing.T) {
	cqlsh, bulk := dialect.Cqlsh(), dialect.DSBulk()
	means(t, cqlsh, "boolean", "True", "true")
	means(t, cqlsh, "boolean", "fALSE", "false")
	for text, own := range map[string]string{"1": "true", "0": "false", "y": "true", "N": "false", "T": "true", "no": "false"} {
		means(t, bulk, "boolean", text, own)
	}
	refused(t, cqlsh, "boolean", "1", "not one of the words")
	means(t, cqlsh, "timestamp", "2017-07-31 15:49:01.638+0000", "2017-07-31T15:49:01.638Z")
	means(t, cqlsh, "timestamp", "2017-07-31 15:49:01+0130", "2017-07-31T14:19:01Z")
	means(t, cqlsh, "timestamp", "-62135596800001", "-62135596800001")
	means(t, bulk, "timestamp", "1993-06-07T19:44:33.41Z", "1993-06-07T19:44:33.410Z")
	means(t, bulk, "timestamp", "1993-06-07T19:44:33", "1993-06-07T19:44:33Z")
	refused(t, cqlsh, "timestamp", "1993-06-07 19:44:33", "no zone")
	refused(t, bulk, "timestamp", "1993-06-07T19:44:33.1234Z", "below a millisecond")
	refused(t, bulk, "timestamp", "1993-06-07T19:44:33.1230000001Z", "below a millisecond")
	means(t, bulk, "timestamp", "1993-06-07T19:44:33.123000Z", "1993-06-07T19:44:33.123Z")
	means(t, cqlsh, "date", "1966-11-04", "1966-11-04")
	means(t, cqlsh, "date", "-5877641-06-23", "-5877641-06-23")
	means(t, bulk, "time", "00:35:14.965132569", "00:35:14.965132569")
	means(t, bulk, "time", "16:31:03.99426899", "16:31:03.994268990")
	refused(t, bulk, "time", "16:31:03.9942689901", "not a time of day")
	refused(t, bulk, "time", "16:31:03,5", "not a time of day")
	means(t, bulk, "blob", "iRAawd8=", "0x89101ac1df")
	means(t, bulk, "blob", "", "0x")
	means(t, bulk, "blob", "0x89", "0x89")
	means(t, bulk, "blob", "0xABCDEF", "0xabcdef") // as DSBulk reads it, although it is base64 too
	refused(t, bulk, "blob", "iRAawd8", "base64")
	refused(t, bulk, "blob", "iRAa\nwd8=", "base64")
	refused(t, cqlsh, "blob", "iRAawd8=", "0x")
	means(t, cqlsh, "decimal", "7.4374210247449682710E+20", "74374210247449682710E1")
	means(t, cqlsh, "duration", "1y1mo34d56m33s428ms793us610ns", "13mo34d3393428793610ns")
	means(t, bulk, "double", "-1.0E300", "-1e300")
	means(t, bulk, "inet", "2001:db8:0:0:8:800:200c:417a", "2001:db8::8:800:200c:417a")
	means(t, cqlsh, "text", " leading and 'trailing' ", " leading and 'trailing' ")
	means(t, cqlsh, "text", "'quoted'", "'quoted'")
	refused(t, cqlsh, "int", " 5", "blanks around it")
	refused(t, cqlsh, "int", "", "empty")
}

func TestCollectionsAreReadAsCqlshWritesThem(t *testing.T) {
	d := dialect.Cqlsh()
	means(t, d, "list<int>", "[1, -4,5 ]", "[1,-4,5]")
	means(t, d, "list<int>", "[]", "[]")
	means(t, d, "frozen<set<text>>", "{'line\nbreak', ' it''s ', '', '{a: [b, c]}'}", `["line\nbreak"," it's ","","{a: [b, c]}"]`)
	means(t, d, "map<text, timestamp>", "{'with,comma': '2001-03-30 13:08:55.000+0000', ':': '2003-12-31 15:58:10.000+0000'}",
		`{"with,comma":"2001-03-30T13:08:55Z",":":"2003-12-31T15:58:10Z"}`)
	means(t, d, "map<time, time>", "{21:04:48.631376168: 00:00:00.000000001, 01:02:03: 04:05:06}",
		`{"21:04:48.631376168":"00:00:00.000000001","01:02:03":"04:05:06"}`)
	means(t, d, "map<inet, frozen<list<double>>>", "{'::1': [NaN, 1e+300]}", `{"::1":["NaN",1e300]}`)
	means(t, d, "map<frozen<tuple<int, text>>, boolean>", "{(1, ':'): True}", `{"[1,\":\"]":true}`)
	means(t, d, "tuple<int, text>", "(0, '')", `[0,""]`)
	means(t, d, "tuple<int, text>", "(None, )", `[null,null]`)
	means(t, d, "tuple<int>", "()", `[null]`)
	means(t, d, "vector<float, 3>", "[0.857143, -6, 6e-09]", "[0.857143,-6,6e-09]")
	means(t, d, "vector<text, 2>", "['a', 'b,']", `["a","b,"]`)
	means(t, d, "place", "{street: 'Main st, 1', Zip: code: 8001, Zip: 01:02:03, tags: {'x', 'y,z'}}",
		`{"street":"Main st, 1","Zip: code":8001,"Zip":"01:02:03","tags":["x","y,z"]}`)
	means(t, d, "place", "{street: 'Main st, 1', Zip: code: , tags: {}}", `{"street":"Main st, 1","tags":[]}`)
	means(t, d, "place", "{'Zip': 01:02:03, \"street\": null}", `{"Zip":"01:02:03"}`)
	means(t, d, "list<frozen<place>>", "[{tags: {'a'}}, {}]", `[{"tags":["a"]},{}]`)

	for cql, texts := range map[string][]string{
		"list<int>":         {"", "[", "[1", "[1,]", "[1 2]", "[1]]", "{1}", "[,1]", "[None]", "[1],"},
		"set<text>":         {"{a}", "{'a}", "{'a'b}", "{'a' 'b'}", "{null}"},
		"map<int, int>":     {"{1}", "{1: }", "{1: 2, 1: 3}", "{1: 2: 3}", "{: 1}"},
		"tuple<int, text>":  {"(1)", "(1, 'a', 2)", "()", "[1, 'a']"},
		"vector<float, 3>":  {"[1, 2]", "[1, 2, 3, 4]", "[1, , 3]", "NULL"},
		"place":             {"{other: 1}", "{street: 'a', street: 'b'}", "{street 'a'}", "(street: 'a')"},
		"list<list<int>>":   {"[[1]", "[1]"},
		"map<time, int>":    {"{01:02: 1}", "{: 1}"},
		"frozen<list<int>>": {"[1]\x00"},
	} {
		for _, text := range texts {
			_, err := textOf(t, d).Parse(nil, namedType(t, cql), []byte(text))
			require.Error(t, err, "%s: %s", cql, text)
		}
	}
}

func TestCollectionsInJSONHaveTheFormsOfTheDialect(t *testing.T) {
	d := dialect.DSBulk()
	means(t, d, "map<text, timestamp>", `{"tab\there":"2003-09-16T05:16:32Z"}`, `{"tab\there":"2003-09-16T05:16:32Z"}`)
	means(t, d, "list<blob>", `["iRAawd8=",""]`, `["0x89101ac1df","0x"]`)
	means(t, d, "list<boolean>", `[true,1,"N"]`, `[true,true,false]`)
	means(t, d, "vector<float, 3>", "[16.714285, -117.0, 1.17E-7]", "[16.714285,-117,1.17e-7]")
	means(t, d, "tuple<int, text>", ` [5,"tab\there"]`, `[5,"tab\there"]`)
	refused(t, d, "list<int>", "{1}", "")
	refused(t, d, "set<text>", "{'a'}", "cqlsh")
}

func TestNullIsToldFromText(t *testing.T) {
	bulk := textOf(t, dialect.DSBulk())
	text, vector := namedType(t, "text"), namedType(t, "vector<float, 3>")
	require.True(t, bulk.Null(text, nil, false))
	require.False(t, bulk.Null(text, nil, true))
	require.False(t, bulk.Null(text, []byte("NULL"), false))
	require.True(t, bulk.Null(vector, []byte("NULL"), false))
	require.True(t, bulk.Null(vector, nil, false))
	d := dialect.RFC4180()
	d.Null = `\N`
	own := textOf(t, d)
	require.False(t, own.Null(text, nil, false))
	require.True(t, own.Null(text, []byte(`\N`), false))
	require.False(t, own.Null(vector, []byte("NULL"), false))
}

func TestTimesAreReadInTheLayoutsAndTheZoneThatAreGiven(t *testing.T) {
	d := dialect.RFC4180()
	d.Timestamps = append(d.Timestamps, "02.01.2006 15:04:05")
	d.Dates = append(d.Dates, "02.01.2006")
	d.Times = append(d.Times, "3:04PM")
	refused(t, d, "timestamp", "31.12.2020 23:30:00", "not a time in RFC 3339")
	d.Zone = time.FixedZone("", -2*3600)
	means(t, d, "timestamp", "31.12.2020 23:30:00", "2021-01-01T01:30:00Z")
	means(t, d, "timestamp", "2020-12-31", "2020-12-31T02:00:00Z")
	means(t, d, "timestamp", "2020-12-31T00:00:00Z", "2020-12-31T00:00:00Z")
	means(t, d, "date", "31.12.1969", "1969-12-31")
	means(t, d, "time", "3:04PM", "15:04:00")
}

// FuzzParse: what is read neither panics nor is anything but a value of the type.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"{street: 'x', Zip: 01:02:03}", "[1, 2]", "{'a': (1, None)}", "(1, 'a')", "{1: 2}", "0xab", "[\"a\"]", "'", "{'a''"} {
		f.Add(text)
	}
	types := []string{"place", "list<int>", "map<text, frozen<tuple<int, text>>>", "tuple<int, text>", "map<time, int>", "blob", "vector<text, 2>", "timestamp"}
	f.Fuzz(func(t *testing.T, text string) {
		for _, cql := range types {
			typ := namedType(t, cql)
			for _, d := range []dialect.Dialect{dialect.Cqlsh(), dialect.DSBulk()} {
				value, err := textOf(t, d).Parse([]byte{}, typ, []byte(text))
				if err == nil {
					_, err = codec.AppendJSON(nil, typ, value)
					require.NotErrorIs(t, err, codec.ErrCorrupt, "%s: %q", cql, text)
				}
			}
		}
	})
}
