package types_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func exec(t *testing.T, session *gocql.Session, cql string) {
	t.Helper()
	require.NoError(t, session.Query(cql).Exec(), cql)
}

// createTables makes the tables of every type and fills the first: one row for
// each value of each column, and one of nulls alone.
func createTables(t *testing.T, session *gocql.Session, ks string, names ...string) (rows int) {
	exec(t, session, "CREATE TYPE "+ks+".address (street text, zip int, tags frozen<set<text>>)")
	exec(t, session, "CREATE TYPE "+ks+".home (owner text, at frozen<address>, seen frozen<list<frozen<tuple<int, text>>>>)")
	var columns []string
	for _, c := range everyType {
		columns = append(columns, c.name+" "+c.cql)
	}
	for _, name := range names {
		exec(t, session, fmt.Sprintf("CREATE TABLE %s.%s (k int PRIMARY KEY, %s)", ks, name, strings.Join(columns, ", ")))
	}
	for _, c := range everyType {
		for _, value := range c.values {
			exec(t, session, fmt.Sprintf("INSERT INTO %s.%s (k, %s) VALUES (%d, %s)", ks, names[0], c.name, rows, value))
			rows++
		}
	}
	exec(t, session, fmt.Sprintf("INSERT INTO %s.%s (k) VALUES (%d)", ks, names[0], rows))
	return rows + 1
}

// contents reads a table as hex by key and column; null is told from empty.
func contents(t *testing.T, session *gocql.Session, table string) map[string]string {
	found := map[string]string{}
	for row, err := range source.Table[rxcql.Row](session, table).All(t.Context()) {
		require.NoError(t, err)
		key, err := rxcql.Value[int](row, "k")
		require.NoError(t, err)
		for i, c := range row.Columns().List() {
			value := "null"
			if b := row.Bytes(i); b != nil {
				value = "0x" + hex.EncodeToString(b)
			}
			found[fmt.Sprintf("row %d column %s", key, c.Name)] = value
		}
	}
	return found
}

func copyTable[T any](t *testing.T, session *gocql.Session, from, to string) {
	t.Helper()
	p, err := rxcql.New(source.Table[T](session, from), sink.Table[T](session, to))
	require.NoError(t, err)
	report, err := p.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.Equal(t, report.ReadRows, report.Written)
}

func TestEveryTypeGoesInAndOutUnchangedAsRawBytes(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	rows := createTables(t, session, ks, "original", "copy")
	before := contents(t, session, ks+".original")
	require.Len(t, before, rows*(len(everyType)+1))

	copyTable[rxcql.Row](t, session, ks+".original", ks+".copy")
	require.Equal(t, before, contents(t, session, ks+".copy"))
}

func TestEveryTypeGoesInAndOutUnchangedThroughGoTypes(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	createTables(t, session, ks, "original", "copy")
	before := contents(t, session, ks+".original")

	copyTable[everything](t, session, ks+".original", ks+".copy")
	require.Equal(t, before, contents(t, session, ks+".copy"))
}

func TestCountersGoInAndOutUnchanged(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	type counted struct {
		K int   `cql:"k"`
		N int64 `cql:"n"`
	}
	for _, name := range []string{"original", "copy"} {
		exec(t, session, "CREATE TABLE "+ks+"."+name+" (k int PRIMARY KEY, n counter)")
	}
	for k, n := range []int64{0, 1, -5, 1 << 62, -1 << 62} {
		require.NoError(t, session.Query("UPDATE "+ks+".original SET n = n + ? WHERE k = ?", n, k).Exec())
	}
	p, err := rxcql.New(source.Table[counted](session, ks+".original"),
		sink.Exec(session, "UPDATE "+ks+".copy SET n = n + ? WHERE k = ?",
			func(c counted) ([]any, error) { return []any{c.N, c.K}, nil }))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, contents(t, session, ks+".original"), contents(t, session, ks+".copy"))

	p, err = rxcql.New(source.Table[counted](session, ks+".original"), sink.Table[counted](session, ks+".copy"))
	require.NoError(t, err)
	require.ErrorContains(t, p.Check(t.Context()), "sink.Exec")
}

func TestStaticColumnsAndPartitionsOfNothingElseAreCopied(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, name := range []string{"original", "copy"} {
		exec(t, session, "CREATE TABLE "+ks+"."+name+" (k int, c int, s text static, v int, PRIMARY KEY (k, c))")
	}
	exec(t, session, "INSERT INTO "+ks+".original (k, c, s, v) VALUES (1, 1, 'both', 1)")
	exec(t, session, "INSERT INTO "+ks+".original (k, c, v) VALUES (1, 2, 2)")
	exec(t, session, "INSERT INTO "+ks+".original (k, s) VALUES (2, 'static alone')")
	exec(t, session, "INSERT INTO "+ks+".original (k, c) VALUES (3, 1)")

	copyTable[rxcql.Row](t, session, ks+".original", ks+".copy")
	all := func(table string) (rows []string) {
		iter := session.Query("SELECT JSON * FROM " + ks + "." + table).Iter()
		var text string
		for iter.Scan(&text) {
			rows = append(rows, text)
		}
		require.NoError(t, iter.Close())
		return rows
	}
	require.Len(t, all("original"), 4)
	require.Equal(t, all("original"), all("copy"))
}
