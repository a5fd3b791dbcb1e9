package transfer_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/transfer"
)

var (
	textType = &codec.Type{Kind: codec.Text}
	intType  = &codec.Type{Kind: codec.Int}
	bigType  = &codec.Type{Kind: codec.Bigint}
	bigsType = &codec.Type{Kind: codec.List, Elems: []*codec.Type{bigType}}
	mapType  = &codec.Type{Kind: codec.Map, Elems: []*codec.Type{textType, intType}}
)

// table is a table with a key of p and c, and one column v.
func table(v *codec.Type, static bool) *schema.Table {
	t := &schema.Table{Keyspace: "ks", Name: "t", ID: "id"}
	t.PartitionKey = []schema.Column{{Name: "p", Kind: schema.PartitionKey, Type: intType}}
	t.ClusteringKey = []schema.Column{{Name: "c", Kind: schema.Clustering, Type: textType}}
	t.Columns = []schema.Column{t.PartitionKey[0], t.ClusteringKey[0]}
	if static {
		t.Columns = append(t.Columns, schema.Column{Name: "s", Kind: schema.Static, Type: textType})
	}
	t.Columns = append(t.Columns, schema.Column{Name: "v", Kind: schema.Regular, Type: v})
	return t
}

func comparison(t require.TestingT, left, right *schema.Table, times bool, opts ...transfer.CompareOption) *transfer.Comparison {
	c, err := transfer.NewComparison(left, right, times, opts...)
	require.NoError(t, err)
	return c
}

func num(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
func big(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// never is the expiry of what does not expire.
const never = 0

// entry is an entry of a map, with its times.
type entry struct {
	key             string
	value           int32
	writes, expires int64
}

// mapRow is a row with the key (1, "c") and a map with these entries.
func mapRow(entries ...entry) rxcql.Row {
	part := func(to, b []byte) []byte { return append(append(to, num(int32(len(b)))...), b...) }
	cell, writes, expires := num(int32(len(entries))), num(int32(len(entries))), num(int32(len(entries)))
	for _, e := range entries {
		cell = part(part(cell, []byte(e.key)), num(e.value))
		writes = part(writes, big(e.writes))
		if e.expires == never {
			expires = append(expires, num(-1)...)
		} else {
			expires = part(expires, big(e.expires))
		}
	}
	if len(entries) == 0 {
		cell, writes, expires = nil, nil, nil
	}
	cols := rxcql.NewColumns([]rxcql.Column{
		{Name: "p", Type: intType}, {Name: "c", Type: textType}, {Name: "v", Type: mapType},
		{Name: "writetime(v)", Type: bigsType}, {Name: "expires(v)", Type: bigsType},
	})
	return rxcql.NewRow(cols, [][]byte{num(1), []byte("c"), cell, writes, expires})
}

func TestACauseIsFoundElementByElement(t *testing.T) {
	a, b := entry{"a", 1, 100, 0}, entry{"b", 2, 100, 0}
	for name, tc := range map[string]struct {
		left, right []entry
		times       bool
		want        transfer.Cause
	}{
		"equal":                          {left: []entry{a, b}, right: []entry{a, b}, times: true},
		"only times differ, not asked":   {left: []entry{a}, right: []entry{{"a", 1, 300, 0}}},
		"only times differ":              {left: []entry{a}, right: []entry{{"a", 1, 300, 0}}, times: true, want: transfer.Newer},
		"within the tolerance":           {left: []entry{a}, right: []entry{{"a", 1, 101, 0}}, times: true},
		"expiry within the tolerance":    {left: []entry{{"a", 1, 100, 7000}}, right: []entry{{"a", 1, 100, 7002}}, times: true},
		"expiry beyond the tolerance":    {left: []entry{{"a", 1, 100, 7000}}, right: []entry{{"a", 1, 100, 7003}}, times: true, want: transfer.Tie},
		"one expires and one never does": {left: []entry{a}, right: []entry{{"a", 1, 100, 1}}, times: true, want: transfer.Tie},
		"missing, and another is newer":  {left: []entry{a, b}, right: []entry{{"b", 9, 300, 0}}, want: transfer.Differing},
		"extra":                          {left: []entry{a}, right: []entry{a, b}, want: transfer.Extra},
		"extra and newer":                {left: []entry{a}, right: []entry{{"a", 5, 300, 0}, b}, want: transfer.Extra},
		"tie":                            {left: []entry{a}, right: []entry{{"a", 5, 100, 0}}, want: transfer.Tie},
		"newer":                          {left: []entry{a}, right: []entry{{"a", 5, 300, 0}}, want: transfer.Newer},
		"all are missing":                {left: []entry{a}, want: transfer.Differing},
	} {
		t.Run(name, func(t *testing.T) {
			c := comparison(t, table(mapType, false), table(mapType, false), tc.times)
			l, r := mapRow(tc.left...), mapRow(tc.right...)
			cause, columns := c.Differences(l, r)
			require.Equal(t, tc.want, cause)
			require.Equal(t, tc.want == "", len(columns) == 0)
			require.Equal(t, tc.want == "", c.Equal(l, r), "both phases see the same")
		})
	}
}

func TestRepairWritesOnlyElementsThatTheSourceHasLater(t *testing.T) {
	entries := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.Custom(func(t *rapid.T) entry {
		return entry{value: rapid.Int32Range(1, 2).Draw(t, "value"), writes: rapid.Int64Range(1, 3).Draw(t, "writes") * 100}
	}))
	ordered := func(m map[string]entry) (all []entry) {
		for _, key := range []string{"a", "b", "c", "d"} {
			if e, there := m[key]; there {
				e.key = key
				all = append(all, e)
			}
		}
		return all
	}
	rapid.Check(t, func(t *rapid.T) {
		left, right := entries.Draw(t, "left"), entries.Draw(t, "right")
		c := comparison(t, table(mapType, false), table(mapType, false), true)
		want := map[string]entry{}
		extra := 0
		for key, l := range left {
			if r, both := right[key]; !both || l.writes > r.writes {
				want[key] = l
			}
		}
		for key := range right {
			if _, both := left[key]; !both {
				extra++
			}
		}
		row, writes, deletions, err := c.Decided(mapRow(ordered(left)...), mapRow(ordered(right)...), transfer.DeleteExtra())
		require.NoError(t, err)
		if len(left) == 0 && extra > 0 { // the whole column, at its latest time
			extra = 1
		}
		require.Equal(t, extra, deletions)
		require.Equal(t, len(want) > 0, writes > 0)
		expected := mapRow(ordered(want)...)
		for i := range expected.Len() {
			require.Equal(t, expected.Bytes(i), row.Bytes(i))
		}
	})
}

func TestValuesOfOtherTypesAreEqualByWhatTheyMean(t *testing.T) {
	row := func(typ *codec.Type, v []byte) rxcql.Row {
		cols := rxcql.NewColumns([]rxcql.Column{{Name: "p", Type: intType}, {Name: "c", Type: textType}, {Name: "v", Type: typ}})
		return rxcql.NewRow(cols, [][]byte{num(1), []byte("c"), v})
	}
	udt := func(n int) *codec.Type {
		return &codec.Type{Kind: codec.UDT, Name: "u", Keyspace: "ks", Frozen: true, Fields: []codec.Field{{Name: "a", Type: intType}, {Name: "b", Type: intType}}[:n]}
	}
	c := comparison(t, table(intType, false), table(bigType, false), false)
	require.True(t, c.Equal(row(intType, num(-5)), row(bigType, big(-5))))
	require.False(t, c.Equal(row(intType, num(5)), row(bigType, big(6))))
	require.False(t, c.Equal(row(intType, nil), row(bigType, big(0))))
	c = comparison(t, table(udt(2), false), table(udt(2), false), false)
	short := append(num(4), num(7)...)
	require.True(t, c.Equal(row(udt(2), short), row(udt(2), append(append([]byte(nil), short...), num(-1)...))), "a field that is not there is null")

	_, err := transfer.NewComparison(table(textType, false), table(intType, false), false)
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `column "v" is text in the source, and "v" is int in the target`)
	_, err = transfer.NewComparison(table(textType, true), table(textType, false), false)
	require.ErrorContains(t, err, `LeaveOut("s")`)
	_, err = transfer.NewComparison(table(textType, true), table(textType, false), false, transfer.LeaveOut("s"))
	require.NoError(t, err)
	_, err = transfer.NewComparison(table(textType, false), table(textType, false), false, transfer.LeaveOut("w"))
	require.ErrorContains(t, err, "neither table has such a column")
}

func TestAKeyComesBackFromItsJSON(t *testing.T) {
	c := comparison(t, table(textType, false), table(textType, false), false)
	rapid.Check(t, func(t *rapid.T) {
		key := [][]byte{num(rapid.Int32().Draw(t, "p")), []byte(rapid.String().Draw(t, "c"))}
		text, err := c.KeyJSON(key)
		require.NoError(t, err)
		back, err := c.ReadKey(text, false)
		require.NoError(t, err)
		require.True(t, transfer.SameKey(key, back))
	})
	text, err := c.KeyJSON([][]byte{num(4)})
	require.NoError(t, err)
	require.JSONEq(t, `{"p":4}`, string(text))
	_, err = c.ReadKey([]byte(`{"p":4}`), true)
	require.NoError(t, err)
	_, err = c.ReadKey([]byte(`{"p":4,"x":1}`), false)
	require.ErrorContains(t, err, `no "c"`)
	require.ErrorContains(t, err, `no column "x"`)
}
