package source_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

func TestTablesWhoseKeysCannotBeMatchedAreRefusedByName(t *testing.T) {
	server := cqlfake.New(t)
	session := server.Session("")
	server.Keyspace("ks",
		"l (a int, b text, c bigint, d timeuuid, v int, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)")
	for definition, says := range map[string][]string{
		"(a int, b ascii, x bigint, y timeuuid, v int, PRIMARY KEY ((a, b), x, y)) WITH CLUSTERING ORDER BY (x DESC, y ASC)": nil,
		"(a bigint, b text, c bigint, d timeuuid, v int, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)": {
			`partition key column 1: "a" is int on the left and "a" is bigint on the right`},
		"(a int, b text, c bigint, d uuid, v int, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)": {
			`clustering column 2: "d" is timeuuid on the left and "d" is uuid on the right`},
		"(a int, b text, c bigint, d timeuuid, v int, PRIMARY KEY ((a, b), c, d))": {
			`clustering column 1: "c" is descending on the left and "c" is ascending on the right`, "CLUSTERING ORDER"},
		"(a int, b text, c bigint, d timeuuid, v int, PRIMARY KEY (a, c, d))": {
			"the left one has 2 partition key columns (a, b) and the right one 1 partition key columns (a)", `"c" is descending`},
		"(a int, b text, v int, PRIMARY KEY ((a, b)))": {"2 clustering columns (c, d) and the right one no clustering columns"},
	} {
		server.Exec("CREATE TABLE ks.r " + definition)
		type row struct {
			V int `cql:"v"`
		}
		pairs := source.TablePair[row, row](session, "ks.l", session, "ks.r")
		before := server.Requests(cqlfake.Execute, "ks.l")
		checked := pairs.Check(t.Context())
		_, err := pairs.Count(t.Context())
		require.Equal(t, says != nil, server.Requests(cqlfake.Execute, "ks.l") == before, "what is refused is not read: %s", definition)
		for _, err := range []error{checked, err} {
			if says == nil {
				require.NoError(t, err, definition)
				continue
			}
			require.ErrorIs(t, err, rxcql.ErrSchema, definition)
			require.ErrorContains(t, err, `tables "ks"."l" and "ks"."r" cannot be read side by side`, definition)
			for _, part := range says {
				require.ErrorContains(t, err, part, definition)
			}
		}
		server.Exec("DROP TABLE ks.r")
	}
}

func TestWhatIsWrongWithAPairIsReportedForEachTable(t *testing.T) {
	type none struct{ X int }
	_, err := source.TablePair[none, int](nil, "shop", nil, "billing.bills", nil, source.Splits(0),
		source.Left(source.Splits(3)), source.Right(source.Shard(1, 2), nil), source.PageRows(-1), source.Consistency(99), source.Shard(3, 2)).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, says := range []string{
		"an option is nil", "Splits(0)", "Left: both tables are read by the same token ranges", "PageRows(-1)", "Consistency(99)", "Shard(3, 2)",
		"left: ", "no field with a cql tag", "the keyspace is missing", "right: an int holds one column",
	} {
		require.ErrorContains(t, err, says)
	}
	left, _, old, fresh := shops(t)
	for says, err := range map[string]error{
		`left: rxcql: schema mismatch: schema of shop.nothing`:                          source.TablePair[order, bill](old, "shop.nothing", fresh, "billing.bills").Check(t.Context()),
		`right: rxcql: schema mismatch: table "billing"."bills": it has no column "id"`: source.TablePair[order, order](old, "shop.orders", fresh, "billing.bills").Check(t.Context()),
	} {
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, says)
	}
	require.Zero(t, left.Requests(cqlfake.Execute, "shop.orders"))
}

func TestARowThatCannotBeDecodedTakesItsPairAlong(t *testing.T) {
	left, right := cqlfake.New(t), cqlfake.New(t)
	left.Keyspace("ks", "l (k int PRIMARY KEY, v int)")
	right.Keyspace("ks", "r (k int PRIMARY KEY, v int)")
	for k := range 60 {
		for i, server := range []*cqlfake.Server{left, right} {
			v := k
			if k%6 == i || k%30 == 29 {
				v = 1000 + k // does not fit
			}
			server.Exec(fmt.Sprintf("INSERT INTO ks.%s (k, v) VALUES (%d, %d)", []string{"l", "r"}[i], k, v))
		}
	}
	left.Exec("INSERT INTO ks.l (k, v) VALUES (60, 1000)") // in one table only
	right.Exec("INSERT INTO ks.r (k, v) VALUES (61, 1000)")
	type row struct {
		V int8 `cql:"v"`
	}
	pairs := source.TablePair[row, row](left.Session(""), "ks.l", right.Session(""), "ks.r", source.PageRows(7))
	letters := &jobtest.Letters{}
	var got []int
	report, err := pairs.ForEach(t.Context(), func(p rxcql.Pair[row, row]) error {
		require.True(t, p.Both())
		require.Equal(t, p.Left, p.Right)
		got = append(got, int(p.Left.V))
		return nil
	}, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	slices.Sort(got)
	var want, bad []int
	for k := range 60 {
		if k%6 < 2 || k%30 == 29 {
			bad = append(bad, k)
		} else {
			want = append(want, k)
		}
	}
	bad = append(bad, 60, 61)
	require.Equal(t, want, got)
	require.EqualValues(t, 62, report.ReadRows)
	require.EqualValues(t, len(bad), report.DeadLettered)
	var lettered []int
	for _, l := range letters.Kept() {
		require.Regexp(t, `(left|right) row: `, l.Error)
		lettered = append(lettered, keyOfLetter(t, l))
	}
	slices.Sort(lettered)
	require.Equal(t, bad, lettered)
	_, err = pairs.Count(t.Context())
	var failed *rxcql.RowError
	require.ErrorAs(t, err, &failed)
	require.GreaterOrEqual(t, failed.Row, 0)
}

func TestATableThatIsMadeAgainGivesNoDifferences(t *testing.T) {
	for _, side := range []string{"l", "r"} {
		server := cqlfake.New(t)
		const definition = "(k int PRIMARY KEY, v int)"
		server.Keyspace("ks", "l "+definition, "r "+definition)
		for k := range 200 {
			for _, table := range []string{"l", "r"} {
				server.Exec(fmt.Sprintf("INSERT INTO ks.%s (k, v) VALUES (%d, %d)", table, k, k))
			}
		}
		type row struct {
			V int `cql:"v"`
		}
		session, other := server.Session(""), server.Session("")
		pairs := source.TablePair[row, row](session, "ks.l", session, "ks.r", source.PageRows(5), source.Splits(4))
		n := 0
		_, err := pairs.ForEach(t.Context(), func(p rxcql.Pair[row, row]) error {
			require.True(t, p.Both(), "a difference that is none")
			if n++; n == 20 {
				server.Exec("DROP TABLE ks."+side, "CREATE TABLE ks."+side+" "+definition)
				// Another program that reads the new tables prepares the statements for them again.
				_, err := source.TablePair[row, row](other, "ks.l", other, "ks.r").Count(t.Context())
				require.NoError(t, err)
			}
			return nil
		}, rxcql.WithWorkers(1))
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, "was dropped and made again while it was read")
	}
}

func TestAPairAlsoLooksAtItsTablesAtTheEnd(t *testing.T) {
	left, _, old, fresh := shops(t)
	n := 0
	_, err := source.TablePair[order, bill](old, "shop.orders", fresh, "billing.bills", source.Splits(1)).ForEach(t.Context(),
		func(rxcql.Pair[order, bill]) error {
			if n++; n == len(wanted()) { // nothing is left to read
				left.Exec("DROP TABLE shop.orders")
			}
			return nil
		})
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `left: rxcql: schema mismatch: table "shop"."orders" was dropped while it was read`)
}

// keyOfLetter is the column k of a row in a letter.
func keyOfLetter(t *testing.T, l rxcql.Letter) int {
	t.Helper()
	var row rxcql.Row
	require.NoError(t, json.Unmarshal(l.Row, &row))
	k, err := rxcql.Value[int](row, "k")
	require.NoError(t, err)
	return k
}
