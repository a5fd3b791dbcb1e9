package source_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

func TestConformanceOfQueryAndTable(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	tables := map[int]string{}
	// numbered makes a table of so many rows: partitions of ten, in whose order rows come.
	numbered := func(t testing.TB, rows int) string {
		if tables[rows] != "" {
			return tables[rows]
		}
		name := fmt.Sprintf("%s.t%d", ks, rows)
		require.NoError(t, session.Query("CREATE TABLE "+name+" (p int, n int, PRIMARY KEY (p, n))").Exec())
		for n := range rows {
			require.NoError(t, session.Query("INSERT INTO "+name+" (p, n) VALUES (?, ?)", n/10, n).Exec())
		}
		tables[rows] = name
		return name
	}
	type row struct {
		N int `cql:"n"`
	}
	for name, of := range map[string]func(table string) rxcql.Stream[row]{
		"Query": func(table string) rxcql.Stream[row] {
			return source.Query[row](session, "SELECT n FROM "+table, source.PageRows(4))
		},
		"Table": func(table string) rxcql.Stream[row] {
			return source.Table[row](session, table, source.PageRows(4))
		},
		"Table, in two ranges": func(table string) rxcql.Stream[row] {
			return source.Table[row](session, table, source.PageRows(4), source.Splits(2))
		},
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSource(t, func(t testing.TB) rxcqltest.SourcePlace[row] {
				return rxcqltest.SourcePlace[row]{
					Stream:    func(rows int) rxcql.Stream[row] { return of(numbered(t, rows)) },
					Number:    func(r row) int { return r.N },
					Unordered: true, // by token
				}
			})
		})
	}
}
