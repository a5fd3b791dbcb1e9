package keyorder_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/ringtest"
)

func key(cells ...string) keyorder.Key {
	k := keyorder.Key{}
	for _, cell := range cells {
		k.Cells = append(k.Cells, []byte(cell))
	}
	return k
}

func TestKeysAreInTheOrderOfTheirTokens(t *testing.T) {
	order, err := keyorder.New(1)
	require.NoError(t, err)
	require.Equal(t, 1, order.Columns())
	words := []string{"a", "b", "c", "delta", "echo", "foxtrot"}
	slices.SortFunc(words, func(a, b string) int {
		x, y := key(a), key(b)
		return order.Compare(&x, &y)
	})
	require.True(t, slices.IsSortedFunc(words, func(a, b string) int {
		return cmp.Compare(ring.Token([]byte(a)), ring.Token([]byte(b)))
	}))
}

func TestAPartitionKeyOfSeveralColumnsIsComparedAsItIsSerialized(t *testing.T) {
	order, err := keyorder.New(2)
	require.NoError(t, err)
	a, b := key("x", "yz"), key("xy", "z")
	token := func(k keyorder.Key) int64 {
		var s []byte
		for _, cell := range k.Cells {
			s = append(append(append(s, 0, byte(len(cell))), cell...), 0)
		}
		return ring.Token(s)
	}
	require.Equal(t, token(a) < token(b), order.Compare(&a, &b) < 0)
	require.Zero(t, order.Compare(&a, &a))
}

func TestPartitionsOfOneTokenAreInTheOrderOfTheirBytes(t *testing.T) {
	order, err := keyorder.New(1)
	require.NoError(t, err)
	keys := [][]byte{ringtest.KeyOf(5, 1), ringtest.KeyOf(5, 2), ringtest.KeyOf(5, 3)}
	for _, x := range keys {
		require.EqualValues(t, 5, ring.Token(x))
		for _, y := range keys {
			a, b := keyorder.Key{Cells: [][]byte{x}}, keyorder.Key{Cells: [][]byte{y}}
			require.Equal(t, slices.Compare(x, y), order.Compare(&a, &b))
		}
	}
}

func TestClusteringColumnsAreComparedByTypeAndDirectionAndNullIsFirst(t *testing.T) {
	order, err := keyorder.New(1, keyorder.Clustering{Name: "c", Type: parsed(t, "int"), Descending: true},
		keyorder.Clustering{Name: "d", Type: parsed(t, "tinyint")})
	require.NoError(t, err)
	require.Equal(t, 3, order.Columns())
	static := keyorder.Key{Cells: [][]byte{[]byte("p"), nil, nil}}
	rows := []keyorder.Key{
		static, key("p", "\x00\x00\x00\x02", "\xff"), key("p", "\x00\x00\x00\x02", "\x00"),
		key("p", "\xff\xff\xff\xff", "\x00"), key("p", "", "\x00"),
	}
	for i := range rows {
		for j := range rows {
			got := order.Fork().Compare(&rows[i], &rows[j])
			require.Equal(t, i < j, got < 0, "%d and %d", i, j)
			require.Equal(t, i == j, got == 0, "%d and %d", i, j)
		}
	}
}

func TestAnOrderThatIsNotKnownIsRefusedByTheNameOfItsColumn(t *testing.T) {
	_, err := keyorder.New(1, keyorder.Clustering{Name: "at", Type: parsed(t, "duration")})
	require.ErrorContains(t, err, `clustering column "at": the order of duration is not known`)
}

func TestComparingKeysAllocatesNothing(t *testing.T) {
	order, err := keyorder.New(2, keyorder.Clustering{Name: "c", Type: parsed(t, "bigint")}, keyorder.Clustering{Name: "d", Type: parsed(t, "text")})
	require.NoError(t, err)
	a, b, other := key("p", "q", "\x00\x00\x00\x00\x00\x00\x00\x01", "x"), key("p", "q", "\x00\x00\x00\x00\x00\x00\x00\x01", "y"), key("q", "p", "", "")
	order.Compare(&a, &other)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		x, y, z := keyorder.Key{Cells: a.Cells}, keyorder.Key{Cells: b.Cells}, keyorder.Key{Cells: other.Cells}
		order.Compare(&x, &y)
		order.Compare(&x, &z)
	}))
}
