package transfer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

const (
	waits = 2 * time.Minute // a limit that only ends a hang
	tick  = 100 * time.Millisecond
)

// run runs statements, in order.
func run(t testing.TB, session *gocql.Session, statements ...string) {
	t.Helper()
	for _, cql := range statements {
		require.NoError(t, session.Query(cql).Exec(), cql)
	}
}

// asJSON reads a table by plain CQL, each row as JSON by the server, in no order.
func asJSON(t testing.TB, session *gocql.Session, table string) []string {
	t.Helper()
	rows := []string{}
	iter := session.Query("SELECT JSON * FROM " + table).Iter()
	for text := ""; iter.Scan(&text); {
		rows = append(rows, text)
	}
	require.NoError(t, iter.Close(), table)
	slices.Sort(rows)
	return rows
}

// copied copies a table of a session to another one, and requires that all went well.
func copied(t testing.TB, from, to *gocql.Session, source, target string, opts ...transfer.CopyOption) transfer.CopyReport {
	t.Helper()
	job, err := transfer.Copy(transfer.Table{Session: from, Name: source}, transfer.Table{Session: to, Name: target}, opts...)
	require.NoError(t, err)
	rep, err := job.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return rep
}

// refused requires that a copy is refused by Plan and by Run, with all of the texts in the error.
func refused(t testing.TB, from, to *gocql.Session, source, target string, texts []string, opts ...transfer.CopyOption) {
	t.Helper()
	job, err := transfer.Copy(transfer.Table{Session: from, Name: source}, transfer.Table{Session: to, Name: target}, opts...)
	require.NoError(t, err)
	_, planErr := job.Plan(context.Background())
	rep, runErr := job.Run(context.Background())
	require.False(t, rep.Complete)
	for _, err := range []error{planErr, runErr} {
		for _, text := range texts {
			require.ErrorContains(t, err, text)
		}
	}
}

// described is how the server describes a table with its indexes, without the keyspace's name.
func described(t testing.TB, session *gocql.Session, keyspace, table string) (lines []string) {
	t.Helper()
	iter := session.Query("DESCRIBE TABLE " + keyspace + "." + table).Iter()
	var of, kind, name, cql string
	for iter.Scan(&of, &kind, &name, &cql) {
		lines = append(lines, strings.ReplaceAll(cql, keyspace+".", ""))
	}
	require.NoError(t, iter.Close())
	slices.Sort(lines)
	return lines
}

// traps are tables that copiers have been known to get wrong: how each is made, and its rows.
var traps = map[string]struct {
	columns string
	rows    []string
}{
	"empty":    {"p int PRIMARY KEY, v text", nil},
	"keys":     {"p int, c int, PRIMARY KEY (p, c)", []string{"(p, c) VALUES (1, 1)", "(p, c) VALUES (1, 2)", "(p, c) VALUES (2, 1)"}},
	"key_only": {"p int, c int, v text, PRIMARY KEY (p, c)", []string{"(p, c) VALUES (1, 1)", "(p, c, v) VALUES (1, 2, 'x')"}},
	"statics": {"p int, c int, s text static, m map<text, int> static, v int, PRIMARY KEY (p, c)", []string{
		"(p, s, m) VALUES (1, 'alone', {'a': 1})", "(p, c, s, v) VALUES (2, 1, 'with rows', 1)", "(p, c, v) VALUES (2, 2, 2)", "(p, c, v) VALUES (3, 1, 3)"}},
	"five_keys": {"a text, b int, c timestamp, d decimal, e uuid, v text, PRIMARY KEY ((a, b), c, d, e)", []string{
		"(a, b, c, d, e, v) VALUES ('', 1, '2020-01-01', 1.00, 123e4567-e89b-12d3-a456-426614174000, 'x')",
		"(a, b, c, d, e) VALUES ('x', -1, '1969-12-31 23:59:59.999+0000', -1e-300, 00000000-0000-0000-0000-000000000000)"}},
	`"Mixed"`: {`"Key" int, "select" int, "a ""b" text, "from" text, PRIMARY KEY ("Key", "select")`, []string{
		`("Key", "select", "a ""b", "from") VALUES (1, 2, 'three', 'four')`}},
	"nested": {"p int PRIMARY KEY, addr address, l list<frozen<map<text, frozen<address>>>>, s set<frozen<tuple<int, text>>>, m map<text, int>, fl frozen<list<int>>", []string{
		"(p, addr, l, s, m, fl) VALUES (1, {street: 'a', zips: [1, 2]}, [{'home': {street: null, zips: []}}, {}], {(1, 'x'), (2, null)}, {'': 0, 'b': -1}, [])",
		"(p, m) VALUES (2, {})", "(p, addr) VALUES (3, {zips: [7]})"}},
	"nested_too": {"p int PRIMARY KEY, addr frozen<address>", []string{"(p, addr) VALUES (1, {street: 'b'})"}}, // its type exists by then
	"extremes": {"p int PRIMARY KEY, n varint, d duration, dec decimal, f float, g double, b blob, t time, day date, at timestamp, i inet, vec vector<float, 3>", []string{
		"(p, n, d, dec, f, g, b, t, day, at, i, vec) VALUES (1, -170141183460469231731687303715884105729, -13mo40d9223372036854775807ns, " +
			"1e-2147483, NaN, -Infinity, 0x, '23:59:59.999999999', '-5877641-06-23', 9223372036854775807, '::ffff:1.2.3.4', [1.5, -0.0, 3.4028235e38])",
		"(p, n, dec, g, b) VALUES (2, 0, 0.000, -0.0, 0x00)"}},
}

func makeTraps(t testing.TB, session *gocql.Session) {
	run(t, session, "CREATE TYPE address (street text, zips frozen<list<int>>)")
	for name, table := range traps {
		run(t, session, "CREATE TABLE "+name+" ("+table.columns+")")
		for _, row := range table.rows {
			run(t, session, "INSERT INTO "+name+" "+row)
		}
	}
}

func TestTransferCopyMakesEveryKindOfTableAgainWithAllItsRows(t *testing.T) {
	source, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	makeTraps(t, source)
	for name := range traps {
		t.Run(name, func(t *testing.T) {
			rep := copied(t, source, target, from+"."+name, to+"."+name, transfer.Create(), transfer.WithSplits(4))
			want := asJSON(t, source, name)
			require.Len(t, want, len(traps[name].rows))
			require.Equal(t, want, asJSON(t, target, name))
			require.Equal(t, described(t, source, from, name), described(t, target, to, name))
			require.NotEmpty(t, rep.Created)
			require.EqualValues(t, len(want), rep.Written)

			again := copied(t, source, target, from+"."+name, to+"."+name, transfer.Create(), transfer.WithSplits(4))
			require.Empty(t, again.Created, "nothing is missing any more")
			require.Equal(t, want, asJSON(t, target, name))
		})
	}
}

func TestTransferCopyMakesOptionsOrderAndIndexesAgain(t *testing.T) {
	source, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	run(t, source,
		"CREATE TABLE t (p int, c timestamp, d text, city text, tags set<text>, PRIMARY KEY (p, c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC) "+
			"AND comment = 'it''s a test' AND default_time_to_live = 864000 AND gc_grace_seconds = 3600 AND bloom_filter_fp_chance = 0.05 "+
			"AND compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': '80'} "+
			"AND compression = {'class': 'SnappyCompressor', 'chunk_length_in_kb': '32'} AND caching = {'keys': 'ALL', 'rows_per_partition': '10'}",
		"CREATE INDEX t_city ON t (city)", "CREATE INDEX ON t (values(tags))")
	copied(t, source, target, from+".t", to+".t", transfer.Create())
	require.Equal(t, described(t, source, from, "t"), described(t, target, to, "t"))

	// In one keyspace the names of indexes must differ.
	rep := copied(t, source, source, from+".t", from+".other", transfer.Create(), transfer.Rename("city", "Town"))
	require.Len(t, rep.Created, 3)
	require.Contains(t, strings.Join(rep.Created, "\n"), `"other_t_city" ON "`+from+`"."other" ("Town")`)

	// Of a table that exists only missing indexes are made.
	run(t, target, "DROP INDEX t_city")
	rep = copied(t, source, target, from+".t", to+".t", transfer.Create())
	require.Equal(t, []string{fmt.Sprintf(`CREATE INDEX IF NOT EXISTS "t_city" ON "%s"."t" ("city")`, to)}, rep.Created)
	require.Equal(t, described(t, source, from, "t"), described(t, target, to, "t"))
}

func TestTransferCopyRenamesDropsAddsAndWidens(t *testing.T) {
	source, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	run(t, source, "CREATE TYPE point (x int, y int)",
		"CREATE TABLE t (p int, c smallint, s int static, n int, f float, l list<int>, m map<int, float>, pt frozen<point>, name ascii, gone blob, PRIMARY KEY (p, c))",
		"INSERT INTO t (p, c, s, n, f, l, m, pt, name, gone) VALUES (-1, -2, -3, 2147483647, 0.5, [1, -2], {3: 1.5}, {x: 1, y: null}, 'a', 0xff)",
		"INSERT INTO t (p, c) VALUES (5, 6)", "INSERT INTO t (p, s) VALUES (7, 8)")
	run(t, target, "CREATE TYPE point (x bigint, y varint, z text)",
		"CREATE TABLE t (tenant text, p bigint, c int, s decimal static, number varint, f double, l list<bigint>, m map<bigint, double>, pt frozen<point>, "+
			"name text, at timestamp, PRIMARY KEY ((tenant, p), c))")
	copied(t, source, target, from+".t", to+".t", transfer.Rename("n", "number"), transfer.Drop("gone"),
		transfer.Constant("tenant", "", "eu"), transfer.Constant("at", "", "2020-01-02T03:04:05Z"))
	require.Equal(t, []string{
		`{"tenant": "eu", "p": -1, "c": -2, "s": -3, "at": "2020-01-02 03:04:05.000Z", "f": 0.5, "l": [1, -2], "m": {"3": 1.5}, "name": "a", "number": 2147483647, "pt": {"x": 1, "y": null, "z": null}}`,
		`{"tenant": "eu", "p": 5, "c": 6, "s": null, "at": "2020-01-02 03:04:05.000Z", "f": null, "l": null, "m": null, "name": null, "number": null, "pt": null}`,
		`{"tenant": "eu", "p": 7, "c": null, "s": 8, "at": null, "f": null, "l": null, "m": null, "name": null, "number": null, "pt": null}`,
	}, asJSON(t, target, "t"))
}

func TestTransferCopyRefusesWhatDoesNotFitBeforeItReadsARow(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE a (p int PRIMARY KEY, v bigint, w text)", "CREATE TABLE b (p int PRIMARY KEY, v int)",
		"CREATE TABLE c (p int PRIMARY KEY, v counter)", "CREATE TABLE d (p int PRIMARY KEY, v counter)", "INSERT INTO a (p, v) VALUES (1, 1)")
	refused(t, session, session, ks+".a", ks+".b", []string{"int cannot hold every value of bigint", `the target has no column "w"`})
	refused(t, session, session, ks+".a", ks+".a", []string{"both the source and the target"})
	refused(t, session, session, ks+".a", ks+".missing", []string{"give Create"})
	refused(t, session, session, ks+".a", "nowhere.a", []string{"make it first", "CREATE KEYSPACE", "SimpleStrategy"}, transfer.Create())
	refused(t, session, session, ks+".missing", ks+".b", []string{"source: "})
	refused(t, session, session, ks+".c", ks+".d", []string{"give Counters"})
	refused(t, session, session, ks+".a", "system_views.clients", []string{"virtual table"})
	require.Empty(t, asJSON(t, session, "b"))
}

func TestTransferCopyReadsViewsAndVirtualTables(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE base (p int, c int, v text, PRIMARY KEY (p, c))", "INSERT INTO base (p, c, v) VALUES (1, 2, 'x')", "INSERT INTO base (p, c, v) VALUES (2, 2, 'y')")
	copied(t, session, session, "system_views.settings", ks+".settings", transfer.Create())
	require.NotEmpty(t, asJSON(t, session, "settings"))
	require.Len(t, asJSON(t, session, "settings"), len(asJSON(t, session, "system_views.settings")))

	require.NoError(t, session.Query("CREATE MATERIALIZED VIEW by_v AS SELECT * FROM base WHERE v IS NOT NULL AND c IS NOT NULL AND p IS NOT NULL PRIMARY KEY (v, p, c)").Exec(), "the server must make materialized views: materialized_views_enabled")
	require.Eventually(t, func() bool { return len(asJSON(t, session, "by_v")) == 2 }, waits, tick)
	copied(t, session, session, ks+".by_v", ks+".copy_of_view", transfer.Create())
	require.Equal(t, asJSON(t, session, "by_v"), asJSON(t, session, "copy_of_view"))
	rep := copied(t, session, session, ks+".base", ks+".copy_of_base", transfer.Create())
	require.Contains(t, rep.Notes, "not made: materialized view by_v")
}

func TestTransferCopyPlanSaysWhatARunWouldDoAndChangesNothing(t *testing.T) {
	source, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	run(t, source, "CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c)) WITH default_time_to_live = 864000", "INSERT INTO t (p, c, v) VALUES (1, 1, 1)")
	job, err := transfer.Copy(transfer.Table{Session: source, Name: from + ".t"}, transfer.Table{Session: target, Name: to + ".t"},
		transfer.Create(), transfer.Drop("v"), transfer.WithSplits(10))
	require.NoError(t, err)
	plan, err := job.Plan(context.Background())
	require.NoError(t, err)
	require.GreaterOrEqual(t, plan.Ranges, int64(10))
	require.Len(t, plan.Creates, 1)
	require.Contains(t, plan.Differences, `column "v" is not copied`)
	require.Contains(t, strings.Join(plan.Notes, "\n"), "default of 864000 s")
	_, err = target.KeyspaceMetadata(to)
	require.NoError(t, err)
	require.Error(t, target.Query("SELECT * FROM t").Exec(), "the plan must not make the table")

	rep, err := job.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, plan.Creates, rep.Created)
	require.EqualValues(t, rep.Ranges, plan.Ranges, "the plan counts ranges as the run does")
}

func TestTransferCopyEndsInOrderWhenStoppedBeforeItsRun(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE t (p int PRIMARY KEY)")
	job, err := transfer.Copy(transfer.Table{Session: session, Name: ks + ".t"}, transfer.Table{Session: session, Name: ks + ".u"}, transfer.Create())
	require.NoError(t, err)
	job.Stop()
	rep, err := job.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.False(t, rep.Complete)
	require.Empty(t, rep.Created)
	rep, err = job.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
}
