package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/source"
)

type cell struct {
	PK int32 `cql:"pk"`
	CK int32 `cql:"ck"`
	V  int64 `cql:"v"`
}

func TestShardsOfATableAreDisjointAndCoverIt(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	const rows = 20_000
	fill(t, session, ks+".t", rows)

	for _, n := range []int{1, 3, 7} {
		seen := make([]int, rows)
		for i := range n {
			for v, err := range source.Table[int64](session, ks+".t", source.Columns("v"), source.Shard(i, n)).All(t.Context()) {
				require.NoError(t, err)
				seen[v]++
			}
		}
		for v, times := range seen {
			require.Equal(t, 1, times, "row %d of %d shards", v, n)
		}
	}
}

func TestAnEmptyTableIsReadToItsEnd(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (pk int PRIMARY KEY, v int)", ks)

	report, err := source.Table[rxcql.Row](session, ks+".t").ForEach(t.Context(), func(rxcql.Row) error {
		t.Fatal("a row came out of an empty table")
		return nil
	})
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.GreaterOrEqual(t, report.Ranges, int64(64))
	require.Equal(t, report.Ranges, report.RangesDone)
	require.Equal(t, report.Pages, report.EmptyPages)
}

func TestRowsOfAPartitionComeTogetherAndInClusteringOrder(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 30_000)

	done := map[int32]bool{}
	open := map[int]cell{} // by page is not visible here, so by partition
	last := map[int32]int32{}
	for c, err := range source.Table[cell](session, ks+".t", source.PageRows(300)).All(t.Context(), rxcql.WithWorkers(1)) {
		require.NoError(t, err)
		if before, known := open[0]; known && before.PK != c.PK {
			done[before.PK] = true
		}
		require.False(t, done[c.PK], "partition %d came twice", c.PK)
		if ck, known := last[c.PK]; known {
			require.Equal(t, ck+1, c.CK)
		}
		last[c.PK], open[0] = c.CK, c
	}
	require.Len(t, last, 30)
}

func TestNamesThatNeedQuotesAreQuoted(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, `CREATE TABLE %s."Select" ("From" int, "a ""b""" int, "order" text, PRIMARY KEY ("From", "a ""b"""))`, ks)
	exec(t, session, `INSERT INTO %s."Select" ("From", "a ""b""", "order") VALUES (1, 2, 'x')`, ks)

	type odd struct {
		From  int    `cql:"From"`
		AB    int    `cql:"a \"b\""`
		Order string `cql:"order"`
	}
	rows, err := source.Table[odd](session, ks+`."Select"`).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []odd{{1, 2, "x"}}, rows)

	raw, err := source.Table[rxcql.Row](session, ks+`."Select"`).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, raw, 1)
	text, err := rxcql.Value[string](raw[0], "order")
	require.NoError(t, err)
	require.Equal(t, "x", text)
}
