package command_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// kinds are tables of all kinds, with rows for each.
var kinds = []struct {
	name, columns string
	rows          []string
}{
	{"plain", "(id int PRIMARY KEY, v text)", []string{"(id, v) VALUES (1, 'a')", "(id, v) VALUES (2, null)"}},
	{"wide", "(p int, c int, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)", []string{"(p, c, v) VALUES (1, 1, 'a')", "(p, c, v) VALUES (1, 2, 'b')"}},
	{"statics", "(p int, c int, s text STATIC, v text, PRIMARY KEY (p, c))", []string{"(p, s) VALUES (1, 'alone')", "(p, c, s, v) VALUES (2, 1, 's', 'v')"}},
	{"keys", "(p int, c int, PRIMARY KEY (p, c))", []string{"(p, c) VALUES (1, 1)", "(p, c) VALUES (1, 2)"}},
	{"five", "(a int, b text, c uuid, d timestamp, e blob, v int, PRIMARY KEY ((a, b), c, d, e))", []string{"(a, b, c, d, e, v) VALUES (1, 'x', 6b1e1bbd-8a0c-4b6f-9c3a-111111111111, '2026-01-01', 0xff, 1)"}},
	{`"OddName"`, `("Select" int PRIMARY KEY, "from" text)`, []string{`("Select", "from") VALUES (1, 'reserved')`}},
	{"collections", "(id int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>)", []string{"(id, l, s, m) VALUES (1, [1, 2, 1], {'a'}, {'k': 1})"}},
	{"nested", "(id int PRIMARY KEY, u frozen<map<text, frozen<list<address>>>>)", []string{"(id, u) VALUES (1, {'home': [{street: 'a', zip: 1}]})"}},
	{"numbers", "(id int PRIMARY KEY, v varint, d decimal, f duration, i inet, t time)", []string{"(id, v, d, f, i, t) VALUES (1, -170141183460469231731687303715884105728000, 1.00, 1y2mo3ns, '::1', '12:00:00.000000001')"}},
	{"empty", "(id int PRIMARY KEY, v text)", nil},
	{"counts", "(id int PRIMARY KEY, n counter)", nil},
	{"broken", "(id int PRIMARY KEY, v bigint)", []string{"(id, v) VALUES (1, 1)"}},
}

func TestTransferAKeyspaceOfTwelveTablesOfWhichOneFails(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	to := other(t, session)
	exec := func(cql string, args ...any) {
		t.Helper()
		require.NoError(t, session.Query(fmt.Sprintf(cql, args...)).Exec(), cql)
	}
	exec("CREATE TYPE %s.address (street text, zip int)", ks)
	for _, k := range kinds {
		exec("CREATE TABLE %s.%s %s", ks, k.name, k.columns)
		for _, row := range k.rows {
			exec("INSERT INTO %s.%s %s", ks, k.name, row)
		}
	}
	exec("UPDATE %s.counts SET n = n + 5 WHERE id = 1", ks)
	exec("CREATE TABLE %s.broken (id int PRIMARY KEY, v int)", to) // a bigint does not fit

	folder := t.TempDir()
	args := []string{"copy", ks, "--to", to, "--create", "--counters", "--tables-at-once", "3", "--checkpoint", folder, "--progress", "plain", "--json", "-"}
	code, stdout, stderr := run(t, args...)
	require.Equal(t, 1, code, stderr)
	r := parsed(t, stdout)
	require.Len(t, r.Tables, len(kinds))
	for _, k := range kinds {
		about := r.of(t, ks+"."+k.name)
		if k.name == "broken" {
			require.Equal(t, "failed", about.Status)
			require.NotEmpty(t, about.Error)
			require.Empty(t, rows(t, session, to+".broken"))
			continue
		}
		require.Equal(t, "done", about.Status, "%s: %s", k.name, about.Error)
		same(t, session, ks+"."+k.name, to+"."+k.name)
	}
	require.Contains(t, stderr, "12 tables: 11 done, 1 failed")

	exec("DROP TABLE %s.broken", to)
	code, stdout, stderr = run(t, args...)
	require.Zero(t, code, stderr)
	r = parsed(t, stdout)
	for _, k := range kinds {
		about := r.of(t, ks+"."+k.name)
		require.Equal(t, "done", about.Status)
		require.Equal(t, k.name != "broken", about.Earlier, "%s: only the table that failed is copied again", k.name)
		same(t, session, ks+"."+k.name, to+"."+k.name)
	}
}

func TestACountOfARealTableByRangeAndSize(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 5050)
	require.NoError(t, session.Query("CREATE TABLE "+ks+".s (p int, c int, s text STATIC, PRIMARY KEY (p, c))").Exec())
	require.NoError(t, session.Query("INSERT INTO "+ks+".s (p, s) VALUES (1, 'alone')").Exec())
	require.NoError(t, session.Query("INSERT INTO "+ks+".s (p, c, s) VALUES (2, 1, 'with a row')").Exec())
	for _, sizes := range []bool{false, true} {
		args := []string{"count", ks, "--by-range", "--largest", "1", "--json", "-", "--progress", "none"}
		if sizes {
			args = append(args, "--sizes")
		}
		code, stdout, stderr := run(t, args...)
		require.Zero(t, code, stderr)
		r := parsed(t, stdout)
		got := counted(t, r.of(t, ks+".t"))
		require.EqualValues(t, 5050, got.Rows)
		require.EqualValues(t, 51, got.Partitions)
		require.EqualValues(t, 100, got.LargestByRows[0].Rows)
		require.Equal(t, sizes, got.Bytes > 0)
		var sum int64
		for _, each := range got.Ranges {
			sum += each.Rows
		}
		require.EqualValues(t, 5050, sum)

		got = counted(t, r.of(t, ks+".s"))
		require.EqualValues(t, 1, got.Rows)
		require.EqualValues(t, 2, got.Partitions, "a partition of static columns alone is one")
		require.EqualValues(t, 1, got.StaticOnly)
	}
}
