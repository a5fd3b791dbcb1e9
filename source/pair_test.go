package source_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// order and bill are rows of two tables whose keys have other names.
type order struct {
	ID    int32  `cql:"id"`
	Line  int64  `cql:"line"`
	Euros *int32 `cql:"euros"`
}

type bill struct {
	Euros *int32 `cql:"cost"`
	Paid  bool   `cql:"paid"`
}

const (
	orders = "(id int, line bigint, euros int, PRIMARY KEY (id, line)) WITH CLUSTERING ORDER BY (line DESC)"
	bills  = "(order_id int, nr bigint, cost int, paid boolean, PRIMARY KEY (order_id, nr)) WITH CLUSTERING ORDER BY (nr DESC)"
)

// shops are two servers, each with one of the tables, and what is in them.
func shops(t *testing.T) (left, right *cqlfake.Server, old, fresh *gocql.Session) {
	left, right = cqlfake.New(t), cqlfake.New(t)
	left.Keyspace("shop", "orders "+orders)
	right.Keyspace("billing", "bills "+bills)
	for id := range 10 {
		for line := range id {
			if (id+line)%3 != 0 {
				left.Exec(fmt.Sprintf("INSERT INTO shop.orders (id, line, euros) VALUES (%d, %d, %d)", id, line, 100*id+line))
			}
			if (id+line)%4 != 0 {
				right.Exec(fmt.Sprintf("INSERT INTO billing.bills (order_id, nr, cost, paid) VALUES (%d, %d, %d, true)", id, line, 100*id+line))
			}
		}
	}
	return left, right, left.Session(""), right.Session("")
}

// found is what a pair says: the number of the left row and of the right one, 0 for none.
type found struct{ left, right int32 }

// wanted are the pairs of the two tables that shops makes.
func wanted() (all []found) {
	for id := range int32(10) {
		for line := range id {
			var f found
			if (id+line)%3 != 0 {
				f.left = 100*id + line
			}
			if (id+line)%4 != 0 {
				f.right = 100*id + line
			}
			if f != (found{}) {
				all = append(all, f)
			}
		}
	}
	return all
}

func TestRowsOfTwoTablesArePairedByTheirKeys(t *testing.T) {
	_, _, old, fresh := shops(t)
	for _, opts := range [][]source.PairOption{
		nil,
		{source.PageRows(1)},
		{source.Splits(1), source.PageRows(3), source.Right(source.PageRows(2))},
		{source.Consistency(gocql.One), source.Left(source.Consistency(gocql.Two), source.PageRows(5))},
	} {
		pairs := source.TablePair[order, bill](old, "shop.orders", fresh, "billing.bills", opts...)
		require.NoError(t, pairs.Check(t.Context()))
		rows, err := pairs.Collect(t.Context())
		require.NoError(t, err)
		var got []found
		parts := map[int32][]int64{}
		for _, p := range rows {
			require.Equal(t, p.HasLeft, p.Left != order{})
			require.Equal(t, p.HasRight, p.Right.Paid)
			var f found
			if p.HasLeft {
				f.left = *p.Left.Euros
				parts[p.Left.ID] = append(parts[p.Left.ID], -p.Left.Line)
			}
			if p.HasRight {
				f.right = *p.Right.Euros
			}
			got = append(got, f)
		}
		require.ElementsMatch(t, wanted(), got)
		for _, lines := range parts {
			require.True(t, slices.IsSorted(lines), "rows of a partition come in their order, which is descending")
		}
	}
}

func TestRowsAsTheyAreHaveTheColumnsOfTheKeyInAnyCase(t *testing.T) {
	_, _, old, fresh := shops(t)
	pairs := source.TablePair[rxcql.Row, rxcql.Row](old, "shop.orders", fresh, "billing.bills", source.Right(source.Columns("paid")))
	rows, err := pairs.Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, len(wanted()))
	for _, p := range rows {
		if !p.Both() {
			continue
		}
		require.Equal(t, 3, p.Left.Len())
		require.Equal(t, 3, p.Right.Len())
		for left, right := range map[string]string{"id": "order_id", "line": "nr"} {
			one, _ := p.Left.Lookup(left)
			other, there := p.Right.Lookup(right)
			require.True(t, there)
			require.Equal(t, one, other)
		}
	}
	single := source.TablePair[int32, bool](old, "shop.orders", fresh, "billing.bills", source.Left(source.Columns("euros")), source.Right(source.Columns("paid")))
	n, err := single.Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, len(wanted()), n)
}

func TestTheSharesOfAPairAreTheWhole(t *testing.T) {
	_, _, old, fresh := shops(t)
	total := int64(0)
	for i := range 3 {
		n, err := source.TablePair[order, bill](old, "shop.orders", fresh, "billing.bills", source.Shard(i, 3), source.Splits(7)).Count(t.Context())
		require.NoError(t, err)
		total += n
	}
	require.EqualValues(t, len(wanted()), total)
}

func TestPairsOfAPartitionComeTogether(t *testing.T) {
	_, _, old, fresh := shops(t)
	pairs := source.TablePair[order, rxcql.Row](old, "shop.orders", fresh, "billing.bills", source.PageRows(2))
	id := func(p rxcql.Pair[order, rxcql.Row]) int32 {
		if p.HasLeft {
			return p.Left.ID
		}
		id, err := rxcql.Value[int32](p.Right, "order_id")
		require.NoError(t, err)
		return id
	}
	groups := operators.GroupAdjacent(pairs, id, func() int { return 0 }, func(n int, _ rxcql.Pair[order, rxcql.Row]) (int, error) { return n + 1, nil })
	seen := map[int32]int{}
	_, err := groups.ForEach(t.Context(), func(g operators.Group[int32, int]) error {
		require.Zero(t, seen[g.Key])
		seen[g.Key] = g.Value
		return nil
	})
	require.NoError(t, err)
	require.Len(t, seen, 9)
}

func TestUnderASmallLimitRangesArePairedOneAfterTheOther(t *testing.T) {
	left, right, old, fresh := shops(t)
	pairs := operators.Take(source.TablePair[order, bill](old, "shop.orders", fresh, "billing.bills", source.Splits(2)), 2)
	rows, err := pairs.Collect(t.Context(), rxcql.WithWorkers(8))
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.LessOrEqual(t, left.Requests(cqlfake.Execute, "shop.orders"), 4)
	require.Equal(t, 1, left.MaxInFlight())
	require.Equal(t, 1, right.MaxInFlight())
}
