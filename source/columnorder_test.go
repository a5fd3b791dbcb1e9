package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

func TestAFileWithoutAHeaderHasTheColumnsOfItsTableInTheOrderOfTheDialect(t *testing.T) {
	server := cqlfake.New(t, cqlfake.Loopback())
	server.Keyspace("shop", "places (p int, c int, zone text static, area text, PRIMARY KEY (p, c))")
	file := filepath.Join(t.TempDir(), "places.csv")
	require.NoError(t, os.WriteFile(file, []byte("1,2,first,second\n"), 0o600))
	for order, area := range map[dialect.Order]string{dialect.OrderSelect: "second", dialect.OrderName: "first"} {
		d := dialect.Cqlsh()
		d.Header, d.Order = false, order
		rows, err := source.CSV[rxcql.Row](file, source.TypesOf(server.Session(""), "shop.places"), source.Dialect(d)).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 1)
		cell, found := rows[0].Lookup("area")
		require.True(t, found)
		require.Equal(t, area, string(cell), "order %d", order)
	}
}
