package jsonline_test

import (
	"database/sql"
	"encoding/json"
	"math"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/jsonline"
)

// celsius has its methods on the pointer.
type celsius struct{ degrees float64 }

func (c *celsius) MarshalJSON() ([]byte, error)    { return json.Marshal(c.degrees) }
func (c *celsius) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &c.degrees) }

// code is a map key that has its text on the pointer.
type code struct{ n byte }

func (c *code) MarshalText() ([]byte, error) { return []byte{'a' + c.n}, nil }
func (c *code) UnmarshalText(b []byte) error { c.n = b[0] - 'a'; return nil }

type measured struct {
	N big.Int
	D inf.Dec
	C celsius
}

type embedding struct {
	measured
	Note string
}

// kept is every place that a value with methods of its pointer may stand in.
type kept struct {
	One     measured
	Pointer *measured
	Slice   []measured
	Array   [2]celsius
	Map     map[string]measured
	Deep    map[int][]map[string]big.Int
	Keys    map[code]celsius
	Null    sql.Null[inf.Dec]
	Any     any
	Anys    map[string]any
	embedding
}

func again[T any](t require.TestingT, v T) T {
	text, err := jsonline.AppendExact([]byte("x"), v)
	require.NoError(t, err)
	var back T
	require.NoError(t, jsonline.Read(text[1:], &back, false), "%s", text)
	return back
}

func measure(n int64) measured {
	return measured{*big.NewInt(n), *inf.NewDec(n, 2), celsius{float64(n) / 2}}
}

func TestMethodsOfAPointerAreCalledWhereverTheValueStands(t *testing.T) {
	one := measure(43)
	back := again(t, kept{
		One: measure(1), Pointer: &one, Slice: []measured{measure(2)}, Array: [2]celsius{{3}, {4}},
		Map: map[string]measured{"a": measure(5)}, Deep: map[int][]map[string]big.Int{6: {{"b": *big.NewInt(6)}}},
		Keys: map[code]celsius{{7}: {7}}, Null: sql.Null[inf.Dec]{V: *inf.NewDec(8, 1), Valid: true},
		Any: *big.NewInt(9), Anys: map[string]any{"c": celsius{10}, "d": *inf.NewDec(11, 1)},
		embedding: embedding{measure(12), "n"},
	})
	same := func(n int64, m measured) {
		t.Helper()
		require.Equal(t, n, m.N.Int64())
		require.Equal(t, *inf.NewDec(n, 2), m.D)
		require.Equal(t, celsius{float64(n) / 2}, m.C)
	}
	same(1, back.One)
	same(43, *back.Pointer)
	same(2, back.Slice[0])
	same(5, back.Map["a"])
	same(12, back.measured)
	require.Equal(t, [2]celsius{{3}, {4}}, back.Array)
	require.Equal(t, "6", new(big.Int).Set(ptr(back.Deep[6][0]["b"])).String())
	require.Equal(t, map[code]celsius{{7}: {7}}, back.Keys)
	require.Equal(t, *inf.NewDec(8, 1), back.Null.V)
	require.Equal(t, json.Number("9"), back.Any)
	require.Equal(t, map[string]any{"c": json.Number("10"), "d": "1.1"}, back.Anys)
}

func ptr[T any](v T) *T { return &v }

type loses struct {
	ID     int64  `cql:"id" json:"-"`
	secret string //nolint:unused // set by reflection alone would be too late
}

type unexported struct{ id int64 }

type someUnexported struct {
	ID   int64
	rest []int
}

type event struct {
	time.Time
	ID int64
}

type omits struct {
	Empty []int          `json:",omitempty"`
	Map   map[string]int `json:",omitempty"`
	Zero  time.Duration  `json:",omitzero"`
}

type base struct{ ID int64 }

type shadows struct {
	base
	ID int64
}

type twins struct {
	A int `json:"x"`
	B int `json:"X"`
}

type collides struct {
	A int `json:"B"`
	B int
}

// onlyWrites cannot be read.
type onlyWrites int

func (onlyWrites) MarshalText() ([]byte, error) { return []byte("many"), nil }

func TestWhatJSONWouldChangeIsAnError(t *testing.T) {
	lmt := time.FixedZone("LMT", 53*60+28)
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"a tagged field that is left out": {loses{ID: 7}, `loses.ID is left out by its tag json:"-"`},
		"a field that is not exported":    {someUnexported{1, []int{2}}, "someUnexported.rest is not exported"},
		"no exported field":               {unexported{7}, "no exported fields"},
		"one within a map":                {map[string]unexported{"canary": {7}}, "no exported fields"},
		"one within an any":               {[]any{map[string]any{"canary": someUnexported{1, []int{2}}}}, "rest is not exported"},
		"the methods of what is embedded": {event{time.Unix(1, 0), 5}, "event.ID is left out by the methods of a type that is embedded"},
		"an empty slice, omitted":         {omits{Empty: []int{}}, "omits.Empty is empty, and would be read as nil"},
		"an empty map, omitted":           {[]omits{{Map: map[string]int{}}}, "omits[].Map is empty, and would be read as nil"},
		"a field behind another":          {shadows{base{1}, 2}, "shadows.base.ID would be read as another value"},
		"two fields of one name":          {collides{1, 2}, `conflict over JSON object name "B"`},
		"bytes in an any":                 {map[string]any{"canary": []byte("abc")}, "holds bytes within an interface"},
		"bytes in a struct in an any":     {[]any{struct{ B []byte }{[]byte("abc")}}, "holds bytes within an interface"},
		"a type that cannot be read":      {struct{ N onlyWrites }{3}, "cannot be read into one"},
		"an interface with methods":       {struct{ E error }{net.ErrClosed}, "JSON"},
		"text that is not UTF-8":          {[]string{"canary\xff"}, "not UTF-8"},
		"a key that is not UTF-8":         {map[string]int{"canary\xff": 1}, "not UTF-8"},
		"two keys of one text":            {map[onlyWrites]int{1: 1, 2: 2}, "two keys of a map have one text"},
		"a function":                      {struct{ F func() }{func() {}}, "func()"},
		"a float that is not a number":    {[]float64{math.NaN()}, "float64"},
		"a time of a zone with seconds":   {time.Date(1890, 1, 1, 0, 0, 0, 0, lmt), ""},
	} {
		_, err := jsonline.AppendExact(nil, c.value)
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "canary", name)
	}
}

func TestWhatJSONKeepsIsNoError(t *testing.T) {
	local := time.FixedZone("somewhere", 3600)
	again(t, someUnexported{ID: 1})
	again(t, loses{})
	again(t, event{Time: time.Unix(1, 0)})
	again(t, twins{1, 2})
	again(t, shadows{ID: 1})
	again(t, omits{})
	again(t, struct {
		*base
		N int
	}{nil, 1})
	again(t, map[string][]byte{"nil": nil, "empty": {}, "full": {1}})
	again(t, []map[string]int{nil, {}, {"a": 1}})
	again(t, map[int64]string{math.MinInt64: "x"})
	again(t, map[time.Time]int{time.Unix(1, 0).In(local): 1, time.Unix(1, 5): 2})
	again(t, map[netip.Addr]int{netip.MustParseAddr("::ffff:1.2.3.4"): 1, netip.MustParseAddr("1.2.3.4"): 2})
	again(t, struct {
		At  time.Time
		ID  gocql.UUID
		IP  net.IP
		Raw json.RawMessage
		N   json.Number
		D   gocql.Duration
		Neg float64
		S   int64 `json:",string"`
		Any any
		mu  sync.Mutex
	}{At: time.Now().In(local), ID: gocql.UUID{1}, IP: net.IPv4(1, 2, 3, 4), Raw: json.RawMessage(`{"b": [1, 2]}`), Neg: math.Copysign(0, -1),
		Any: map[string]any{"s": "x", "n": 1, "l": []any{nil, true, 1.5}, "t": time.Unix(1, 0)}})
	for _, v := range []any{nil, 1, "�", "<&>\u2028\x00", 1e300, []any{int64(math.MaxInt64)}, (*int)(nil), inf.NewDec(5, -3)} {
		text, err := jsonline.AppendExact(nil, v)
		require.NoError(t, err)
		require.True(t, json.Valid(text))
	}
}

func TestValuesComeBackFromTheirJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type inner struct {
			B    []byte
			M    map[string]*int16
			F    float32
			Text string `json:"text,omitempty"`
		}
		type outer struct {
			inner
			L []inner
			P **inner
			A [2]uint8
			K map[int8][]string
		}
		v := rapid.Make[outer]().Draw(rt, "value")
		text, err := jsonline.AppendExact(nil, v)
		if err != nil { // a float32 that is not a number
			return
		}
		var back outer
		require.NoError(rt, json.Unmarshal(text, &back), "encoding/json reads it too: %s", text)
		require.Equal(rt, v, back)
	})
}

func TestTheTextIsThatOfEncodingJSON(t *testing.T) {
	for _, v := range []any{
		map[string]any{"b": 1, "a": []int{}, "c": nil}, []byte("abc"), [3]byte{1, 2, 3}, time.Unix(1, 5).UTC(), time.Second, "<\u2028>",
		struct {
			A int     `json:"a,omitempty"`
			B *int    `json:",omitempty"`
			F float64 `json:",string"`
			S []int
			U gocql.UUID
		}{F: 0.1}, 1e21, 1e-7, float32(0.1), map[int]bool{2: true, 10: false}, json.Number("1.50"), json.RawMessage(` {"a" : 1}`), big.NewInt(5),
	} {
		var want strings.Builder
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		require.NoError(t, enc.Encode(v))
		got, err := jsonline.Append(nil, &v)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSuffix(want.String(), "\n"), string(got))
	}
}
