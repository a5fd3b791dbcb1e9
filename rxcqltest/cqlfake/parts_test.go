package cqlfake_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type address struct {
	Street string   `cql:"street"`
	Zip    *int     `cql:"zip"`
	Tags   []string `cql:"tags"`
}

// shopper is a row with values of all kinds that consist of others.
type shopper struct {
	ID      int            `cql:"id"`
	Seq     int            `cql:"seq"`
	Country string         `cql:"country"` // static
	Prices  []int          `cql:"prices"`
	Labels  []string       `cql:"labels"` // a set
	Stock   map[string]int `cql:"stock"`
	Home    address        `cql:"home"` // not frozen
	Work    address        `cql:"work"` // frozen
	Others  []address      `cql:"others"`
}

const shoppers = `(id int, seq int, country text STATIC, prices list<int>, labels set<text>, stock map<text, int>,
	home place, work frozen<address>, others list<frozen<address>>, PRIMARY KEY (id, seq))`

func TestCollectionsTypesAndStaticColumnsAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("shop")
		server.Exec("CREATE TYPE shop.address (street text, zip int, tags set<text>)",
			"CREATE TYPE shop.place (street text, zip int, tags frozen<set<text>>)",
			"CREATE TABLE shop.shoppers "+shoppers, "CREATE TABLE shop.copied "+shoppers)
		session := server.Session("shop")
		zip := 1234
		var want []shopper
		for n := range 40 {
			want = append(want, shopper{
				ID: n % 4, Seq: n, Country: []string{"nl", "be", "de", "at"}[n%4], Prices: []int{3, n, 1}, Labels: []string{"a", "b"},
				Stock: map[string]int{"x": n, "y": 0}, Home: address{Street: "here", Tags: []string{"h"}},
				Work: address{Street: "there", Zip: &zip, Tags: []string{"w"}}, Others: []address{{Street: "one"}, {Zip: &zip}},
			})
		}
		_, err := rxcql.Run(t.Context(), source.Of(want...), sink.Table[shopper](session, "shop.shoppers"))
		require.NoError(t, err)
		_, err = rxcql.Run(t.Context(), source.Table[rxcql.Row](session, "shop.shoppers", source.PageRows(3)), sink.Table[rxcql.Row](session, "shop.copied"))
		require.NoError(t, err)
		got, err := source.Table[shopper](session, "shop.copied").Collect(t.Context())
		require.NoError(t, err)
		slices.SortFunc(got, func(a, b shopper) int { return a.Seq - b.Seq })
		require.Equal(t, want, got)
	})
}

func TestExecWritesConstantsOfCollectionsAndTypes(t *testing.T) {
	server := cqlfake.New(t)
	server.Keyspace("ks")
	server.Exec("CREATE TYPE ks.address (street text, zip int, tags frozen<set<text>>)",
		"CREATE TABLE ks.t (p int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>, a address, f frozen<map<int, frozen<address>>>, t tuple<int, text>)",
		"INSERT INTO ks.t (p, l, s, m, a, f, t) VALUES (1, [3, 1], {'b', 'a', 'b'}, {'x': 1}, {zip: 5, tags: {'q'}}, {7: {street: 'z'}}, (1, 'one'))",
		"INSERT INTO ks.t (p, l, s, m) VALUES (2, [], {}, {})")
	session := server.Session("ks")
	var l []int
	var s []string
	var m map[string]int
	var a address
	var f map[int]address
	var n int
	var text string
	require.NoError(t, session.Query("SELECT l, s, m, a, f, t FROM t WHERE p = 1").Scan(&l, &s, &m, &a, &f, &n, &text))
	five := 5
	require.Equal(t, []int{3, 1}, l)
	require.Equal(t, []string{"a", "b"}, s)
	require.Equal(t, map[string]int{"x": 1}, m)
	require.Equal(t, address{Zip: &five, Tags: []string{"q"}}, a)
	require.Equal(t, map[int]address{7: {Street: "z"}}, f)
	require.Equal(t, 1, n)
	require.Equal(t, "one", text)
	require.NoError(t, session.Query("SELECT l, s, m FROM t WHERE p = 2").Scan(&l, &s, &m))
	require.Nil(t, l, "nothing is left of an empty collection that is not frozen")
	require.Nil(t, s)
	require.Nil(t, m)
}

func TestSinkExecCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks", "clicks (page text PRIMARY KEY, n counter)")
		session := server.Session("ks")
		to := sink.Exec(session, "UPDATE clicks SET n = n + ? WHERE page = ?", func(n int) ([]any, error) {
			return []any{int64(n), []string{"even", "odd"}[n%2]}, nil
		})
		_, err := rxcql.Run(t.Context(), source.Of(1, 2, 3, 4, 5, 6, 7), to)
		require.NoError(t, err)
		for page, want := range map[string]int64{"even": 12, "odd": 16} {
			var n int64
			require.NoError(t, session.Query("SELECT n FROM clicks WHERE page = ?", page).Scan(&n))
			require.Equal(t, want, n)
		}
		require.NoError(t, session.Query("BEGIN COUNTER BATCH UPDATE clicks SET n -= 2 WHERE page = 'even'; UPDATE clicks SET n = n - 3 WHERE page = 'even' APPLY BATCH").Exec())
		batch := session.NewBatch(gocql.CounterBatch)
		batch.Query("UPDATE clicks SET n = n + ? WHERE page = ?", int64(100), "even")
		require.NoError(t, session.ExecuteBatch(batch))
		var n int64
		require.NoError(t, session.Query("SELECT n FROM clicks WHERE page = 'even'").Scan(&n))
		require.EqualValues(t, 107, n)
		err = sink.Table[struct {
			Page string `cql:"page"`
			N    int64  `cql:"n"`
		}](session, "ks.clicks").Check(t.Context())
		require.ErrorContains(t, err, "counter table")
	})
}
