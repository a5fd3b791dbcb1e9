// Package tools_test reads what other programs write, into a real Cassandra.
package tools_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const testdata = "../../dialect/testdata"

// tables makes tables of the schema that the files were written from, under other names.
func tables(t *testing.T, session *gocql.Session, ks string, names ...string) {
	t.Helper()
	schema, err := os.ReadFile(filepath.Join(testdata, "schema.cql"))
	require.NoError(t, err)
	typ, table, _ := strings.Cut(string(schema), ";\n")
	require.NoError(t, session.Query(strings.Replace(typ, "TYPE address", "TYPE "+ks+".address", 1)).Exec())
	table = strings.TrimSuffix(strings.TrimSpace(table), ";")
	for _, name := range names {
		require.NoError(t, session.Query(strings.Replace(table, "TABLE everything", fmt.Sprintf("TABLE %s.%s", ks, name), 1)).Exec())
	}
}

func load(t *testing.T, in rxcql.Stream[rxcql.Row], session *gocql.Session, table string) {
	t.Helper()
	p, err := rxcql.New(in, sink.Table[rxcql.Row](session, table))
	require.NoError(t, err)
	require.NoError(t, p.Check(t.Context()))
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, []int64{201, 201, 0}, []int64{rep.ReadRows, rep.Written, rep.Skipped})
}

// rows reads a table by plain CQL, as the server writes it.
func rows(t *testing.T, session *gocql.Session, table, columns string) map[string]string {
	t.Helper()
	all := map[string]string{}
	iter := session.Query(fmt.Sprintf(`SELECT pk, "Ck", %s FROM %s`, columns, table)).Iter()
	for {
		row := map[string]any{}
		if !iter.MapScan(row) {
			break
		}
		all[fmt.Sprint(row["pk"], row["Ck"])] = fmt.Sprintf("%v", row)
	}
	require.NoError(t, iter.Close())
	return all
}

func TestFilesOfCqlshAndDSBulkAreLoadedInFullAndAreEqual(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	tables(t, session, ks, "cqlsh", "dsbulk", "json", "every")
	table := func(name string) string { return ks + "." + name }
	types := source.TypesOf(session, table("cqlsh"))
	path := func(name string) string { return filepath.Join(testdata, name) }
	load(t, source.CSV[rxcql.Row](path("cqlsh.csv"), types, source.Dialect(dialect.Cqlsh())), session, table("cqlsh"))
	load(t, source.CSV[rxcql.Row](path("dsbulk.csv"), types, source.Dialect(dialect.DSBulk())), session, table("dsbulk"))
	load(t, source.NDJSON[rxcql.Row](path("dsbulk.json"), types, source.Dialect(dialect.DSBulk())), session, table("json"))
	load(t, source.CSVFiles[rxcql.Row]([]string{path("dsbulk.csv")}, types, source.Dialect(dialect.DSBulk())), session, table("every"))

	const exact = `st, a, b, bl, bo, d, de, dbl, du, f, i, n, sm, ti, ts, tu, ty, u, v, li, se, ma, toJson(tup) AS tup, toJson(ad) AS ad`
	want := rows(t, session, table("dsbulk"), exact)
	require.Len(t, want, 201)
	require.Equal(t, want, rows(t, session, table("json"), exact))
	require.Equal(t, want, rows(t, session, table("every"), exact))
	require.Equal(t, want, rows(t, session, table("cqlsh"), exact))

	// What cqlsh cannot write exactly: empty text, and floats of more than 5 digits.
	const lossy = `"select", toJson(vec) AS vec`
	require.Equal(t, rows(t, session, table("dsbulk"), lossy), rows(t, session, table("json"), lossy))
	require.Equal(t, rows(t, session, table("dsbulk"), lossy), rows(t, session, table("every"), lossy))
	for _, from := range []string{"cqlsh", "dsbulk"} {
		var st, text string
		require.NoError(t, session.Query(fmt.Sprintf(`SELECT st FROM %s WHERE pk = 'static-only'`, table(from))).Scan(&st))
		require.Equal(t, "no rows here", st)
		require.NoError(t, session.Query(fmt.Sprintf(`SELECT "select" FROM %s WHERE pk = 'p9' AND "Ck" = 1`, table(from))).Scan(&text))
		require.Equal(t, `back\slash`, text)
	}
}
