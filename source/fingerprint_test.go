package source_test

import (
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/source"
)

// bound is a value as it goes to the server.
func bound(t *testing.T, typ *codec.Type, v any) driver.Value {
	t.Helper()
	if v == any(gocql.UnsetValue) {
		return driver.Value{State: driver.Unset}
	}
	data, err := gocql.Marshal(typ.Info(), v)
	require.NoError(t, err)
	if data == nil {
		return driver.Value{State: driver.Null}
	}
	return driver.Value{Bytes: data}
}

func TestTheHashOfBoundValuesGoesByWhatIsSent(t *testing.T) {
	text := &codec.Type{Kind: codec.Text}
	of := func(values ...any) string {
		params, bytes := make([]codec.Column, len(values)), make([]driver.Value, len(values))
		for i, v := range values {
			params[i].Type, bytes[i] = text, bound(t, text, v)
		}
		return source.Fingerprint(params, bytes)
	}
	a, null := "a", (*string)(nil)
	alike := [][]any{{"a"}, {&a}, {[]byte("a")}}
	for _, values := range alike {
		require.Equal(t, of("a"), of(values...))
	}
	seen := map[string][]any{}
	for _, values := range [][]any{
		{}, {"a"}, {"b"}, {""}, {nil}, {gocql.UnsetValue}, {"a", ""}, {"", "a"}, {"ab", "c"}, {"a", "bc"}, {"a", nil}, {"a", gocql.UnsetValue},
		{"a", "b"}, {"b", "a"}, {"abc"}, {"", ""}, {"a\x00b"}, {"a\x00b", "c"}, {"a", "b\x00c"},
	} {
		require.Empty(t, seen[of(values...)], "%q", values)
		seen[of(values...)] = values
		require.NotContains(t, of(values...), "abc")
	}
	require.Equal(t, of(nil), of(null))
}

func TestTheHashOfASetOrAMapIsTheSameInAnyOrder(t *testing.T) {
	n := &codec.Type{Kind: codec.Int}
	set := &codec.Type{Kind: codec.Set, Elems: []*codec.Type{n}, Frozen: true}
	sets := &codec.Type{Kind: codec.Map, Elems: []*codec.Type{n, set}}
	list := &codec.Type{Kind: codec.List, Elems: []*codec.Type{n}}
	tuple := &codec.Type{Kind: codec.UDT, Name: "u", Fields: []codec.Field{{Name: "s", Type: set}, {Name: "l", Type: list}}}
	of := func(typ *codec.Type, v any) string {
		return source.Fingerprint([]codec.Column{{Type: typ}}, []driver.Value{bound(t, typ, v)})
	}
	require.Equal(t, of(set, []int{1, 2, 3}), of(set, []int{3, 1, 2}))
	require.NotEqual(t, of(set, []int{1, 2, 3}), of(set, []int{1, 2, 4}))
	require.NotEqual(t, of(list, []int{1, 2}), of(list, []int{2, 1}))
	many := map[int][]int{1: {2, 1}, 2: {}, 3: nil, 4: {5}, 6: {7}, 8: {9}}
	for range 20 { // the order of a Go map is another one each time
		require.Equal(t, of(sets, many), of(sets, map[int][]int{1: {1, 2}, 2: {}, 3: nil, 4: {5}, 6: {7}, 8: {9}}))
	}
	require.NotEqual(t, of(sets, map[int][]int{1: {2}, 2: {1}}), of(sets, map[int][]int{1: {1}, 2: {2}}))
	type u struct {
		S []int `cql:"s"`
		L []int `cql:"l"`
	}
	require.Equal(t, of(tuple, u{[]int{1, 2}, []int{1, 2}}), of(tuple, u{[]int{2, 1}, []int{1, 2}}))
	require.NotEqual(t, of(tuple, u{[]int{1, 2}, []int{1, 2}}), of(tuple, u{[]int{1, 2}, []int{2, 1}}))
	require.Equal(t, of(set, []int(nil)), of(set, nil))

	cut := driver.Value{Bytes: []byte{0, 0, 0, 2, 0, 0}} // not a value: it is hashed as it is
	require.NotEqual(t, source.Fingerprint([]codec.Column{{Type: set}}, []driver.Value{cut}), of(set, []int{}))
}
