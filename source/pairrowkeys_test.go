package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// The key's columns come behind those that were asked for, before them, or between them.
func TestRowsThatAreNotDecodedArePairedWhereverTheColumnsOfTheKeyAre(t *testing.T) {
	_, _, old, fresh := shops(t)
	for _, columns := range [][2][]string{
		{nil, nil},
		{{"euros"}, {"paid", "cost"}},
		{{"line", "euros"}, {"cost", "nr"}},
		{{"line", "euros", "id"}, {"nr", "order_id"}},
		{{"id", "line"}, {"order_id", "cost", "nr"}},
	} {
		for _, adaptive := range []bool{false, true} {
			opts := []source.PairOption{source.PageRows(4), source.Right(source.PageRows(3))}
			if columns[0] != nil {
				opts = append(opts, source.Left(source.Columns(columns[0]...)), source.Right(source.Columns(columns[1]...)))
			}
			if adaptive {
				opts = append(opts, source.AdaptiveSplits())
			}
			pairs, err := source.TablePair[rxcql.Row, rxcql.Row](old, "shop.orders", fresh, "billing.bills", opts...).Collect(t.Context())
			require.NoError(t, err)
			var got []found
			for _, p := range pairs {
				var f found
				if p.HasLeft {
					f.left = numberIn(t, p.Left, "id", "line")
				}
				if p.HasRight {
					f.right = numberIn(t, p.Right, "order_id", "nr")
				}
				got = append(got, f)
			}
			require.ElementsMatch(t, wanted(), got, "%v", columns)
		}
	}
}

// numberIn returns the number that shops gives a row of this key.
func numberIn(t *testing.T, row rxcql.Row, id, line string) int32 {
	t.Helper()
	i, err := rxcql.Value[int32](row, id)
	require.NoError(t, err)
	n, err := rxcql.Value[int64](row, line)
	require.NoError(t, err)
	return 100*i + int32(n)
}
