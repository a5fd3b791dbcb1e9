package transfer_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/transfer"
)

// valueRow is a row with the key (1, "c") and a value that was written then.
func valueRow(v []byte, written int64) rxcql.Row {
	cols := rxcql.NewColumns([]rxcql.Column{
		{Name: "p", Type: intType}, {Name: "c", Type: textType}, {Name: "v", Type: textType},
		{Name: "writetime(v)", Type: bigType}, {Name: "expires(v)", Type: bigType},
	})
	if v == nil {
		return rxcql.NewRow(cols, [][]byte{num(1), []byte("c"), nil, nil, nil})
	}
	return rxcql.NewRow(cols, [][]byte{num(1), []byte("c"), v, big(written), nil})
}

func TestEveryWriteTimeThatAServerTakesIsATimeToRepair(t *testing.T) {
	for _, at := range []int64{0, -1, -5_000_000, math.MinInt64 + 1, 1, math.MaxInt64 - 1} {
		c := comparison(t, table(textType, false), table(textType, false), true)
		row, writes, _, err := c.Decided(valueRow([]byte("x"), at), valueRow(nil, 0))
		require.NoError(t, err)
		require.Equal(t, 1, writes, at)
		require.Equal(t, big(at), row.Bytes(3), "the time of the source")
		require.Nil(t, row.Bytes(4), "and it never expires")

		_, _, deletions, err := c.Decided(valueRow(nil, 0), valueRow([]byte("x"), at), transfer.DeleteExtra())
		require.NoError(t, err)
		require.Equal(t, 1, deletions, at)

		row, writes, _, err = c.Decided(valueRow([]byte("x"), at), valueRow([]byte("y"), at), transfer.Bump())
		require.NoError(t, err)
		require.Equal(t, 1, writes)
		require.Equal(t, big(at+1), row.Bytes(3), "one microsecond later")

		// Elements have times of their own.
		c = comparison(t, table(mapType, false), table(mapType, false), true)
		row, writes, _, err = c.Decided(mapRow(entry{"a", 1, at, never}, entry{"b", 2, at, never}), mapRow(entry{"b", 2, at, never}))
		require.NoError(t, err)
		require.Equal(t, 1, writes)
		require.Equal(t, mapRow(entry{"a", 1, at, never}).Bytes(3), row.Bytes(3))
		_, _, deletions, err = c.Decided(mapRow(entry{"b", 2, at, never}), mapRow(entry{"a", 1, at, never}, entry{"b", 2, at, never}), transfer.DeleteExtra())
		require.NoError(t, err)
		require.Equal(t, 1, deletions)
	}
}

func TestATimeOfZeroIsNotTheSameAsNone(t *testing.T) {
	c := comparison(t, table(textType, false), table(textType, false), true)
	cause, columns := c.Differences(valueRow([]byte("x"), -5), valueRow([]byte("y"), 0))
	require.Equal(t, transfer.Newer, cause)
	require.EqualValues(t, -5, columns[0].SourceTime)
	cause, _ = c.Differences(valueRow([]byte("x"), math.MinInt64+1), valueRow([]byte("x"), math.MaxInt64))
	require.Equal(t, transfer.Newer, cause, "two times as far from each other as can be")
}

func TestATieAtTheLatestTimeThatThereIsStays(t *testing.T) {
	c := comparison(t, table(textType, false), table(textType, false), true)
	_, writes, _, err := c.Decided(valueRow([]byte("x"), math.MaxInt64), valueRow([]byte("y"), math.MaxInt64), transfer.Bump())
	require.NoError(t, err)
	require.Zero(t, writes)
}

// numbers is a map with keys of a type, all written at a time.
func numbers(key *codec.Type, written int64, values map[int64]int32) rxcql.Row {
	part := func(to, b []byte) []byte { return append(append(to, num(int32(len(b)))...), b...) }
	n := int32(len(values))
	cell, writes, expires := num(n), num(n), num(n)
	for k := range int64(10) {
		v, there := values[k]
		if !there {
			continue
		}
		encoded := big(k)
		if key.Kind == codec.Int {
			encoded = num(int32(k))
		}
		cell = part(part(cell, encoded), num(v))
		writes, expires = part(writes, big(written)), append(expires, num(-1)...)
	}
	cols := rxcql.NewColumns([]rxcql.Column{
		{Name: "p", Type: intType}, {Name: "c", Type: textType}, {Name: "v", Type: &codec.Type{Kind: codec.Map, Elems: []*codec.Type{key, intType}}},
		{Name: "writetime(v)", Type: bigsType}, {Name: "expires(v)", Type: bigsType},
	})
	return rxcql.NewRow(cols, [][]byte{num(1), []byte("c"), cell, writes, expires})
}

func TestElementsOfWiderKeysAreMatchedByWhatTheyMean(t *testing.T) {
	narrow := table(&codec.Type{Kind: codec.Map, Elems: []*codec.Type{intType, intType}}, false)
	wide := table(&codec.Type{Kind: codec.Map, Elems: []*codec.Type{bigType, intType}}, false)
	c := comparison(t, narrow, wide, true)
	l, r := numbers(intType, 100, map[int64]int32{1: 1, 2: 2, 3: 3}), numbers(bigType, 100, map[int64]int32{2: 2, 3: 9, 4: 4})
	cause, _ := c.Differences(l, r)
	require.Equal(t, transfer.Differing, cause)
	row, writes, deletions, err := c.Decided(l, r, transfer.DeleteExtra())
	require.NoError(t, err)
	require.Equal(t, 1, writes)
	require.Equal(t, 1, deletions, "the target alone has 4")
	require.Equal(t, numbers(bigType, 100, map[int64]int32{1: 1}).Bytes(2), row.Bytes(2), "2 is equal, and 3 a tie: only 1 is missing")

	_, columns := c.Differences(numbers(intType, 100, map[int64]int32{2: 2}), numbers(bigType, 100, map[int64]int32{2: 2, 3: 3}))
	require.Equal(t, transfer.Extra, columns[0].Cause, "nothing is missing")
	_, columns = c.Differences(numbers(intType, 100, map[int64]int32{2: 2}), numbers(bigType, 200, map[int64]int32{2: 3}))
	require.Equal(t, transfer.Newer, columns[0].Cause)
}

// listRow is a row with the key (1, "c") and a list of one element.
func listRow(written, expires int64) rxcql.Row {
	cols := rxcql.NewColumns([]rxcql.Column{
		{Name: "p", Type: intType}, {Name: "c", Type: textType}, {Name: "v", Type: bigsType},
		{Name: "writetime(v)", Type: bigsType}, {Name: "expires(v)", Type: bigsType},
	})
	one := func(n int64) []byte {
		if n == never {
			return append(num(1), num(-1)...)
		}
		return append(append(num(1), num(8)...), big(n)...)
	}
	return rxcql.NewRow(cols, [][]byte{num(1), []byte("c"), one(7), one(written), one(expires)})
}

func TestOfListsTheExpiryAloneIsCompared(t *testing.T) {
	c := comparison(t, table(bigsType, false), table(bigsType, false), true)
	for name, tc := range map[string]struct {
		left, right rxcql.Row
		want        transfer.Cause
	}{
		"another write time":             {listRow(100, 5000), listRow(900, 5001), ""},
		"it never expires at the target": {listRow(100, 5000), listRow(900, never), transfer.Newer},
		"it expires at another time":     {listRow(100, 5000), listRow(100, 6000), transfer.Tie},
	} {
		cause, _ := c.Differences(tc.left, tc.right)
		require.Equal(t, tc.want, cause, name)
		require.Equal(t, tc.want == "", c.Equal(tc.left, tc.right), name)
	}
}
