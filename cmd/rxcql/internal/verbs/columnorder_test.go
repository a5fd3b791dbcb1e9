package verbs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// cqlsh's COPY goes by the order of columns and writes no header by default. It sorts static
// columns among the others; SELECT * has them before.
func TestColumnsComeInTheOrderThatTheDialectsProgramHas(t *testing.T) {
	server := cqlfake.New(t, cqlfake.Loopback())
	const columns = "(p int, c int, zone text static, area text, PRIMARY KEY (p, c))"
	server.Keyspace("shop", "places "+columns, "loaded "+columns)
	server.Exec("INSERT INTO shop.places (p, c, zone, area) VALUES (1, 2, 'Z', 'A')")
	host := fmt.Sprintf("%s:%d", server.Cluster().Hosts[0], server.Cluster().Port)
	unload := func(table string, args ...string) string {
		got := rxcql(t, append([]string{"unload", table, "--out", "-", "--hosts", host, "--progress", "none"}, args...)...)
		require.Zero(t, got.code, got.err)
		return got.out
	}
	require.Equal(t, "p,c,zone,area\n1,2,Z,A\n", unload("shop.places"))
	require.Equal(t, "p,c,area,zone\n1,2,A,Z\n", unload("shop.places", "--dialect", "cqlsh"))
	require.Equal(t, "p,c,zone,area\n1,2,Z,A\n", unload("shop.places", "--dialect", "cqlsh", "--columns", "p,c,zone,area"), "they are named")

	for dialect, line := range map[string]string{"rfc4180": "1,2,Z,A\n", "cqlsh": "1,2,A,Z\n"} {
		require.Equal(t, line, unload("shop.places", "--dialect", dialect, "--header", "no"))
		file := filepath.Join(t.TempDir(), "places.csv")
		require.NoError(t, os.WriteFile(file, []byte(line), 0o600))
		server.Exec("TRUNCATE shop.loaded")
		got := rxcql(t, "load", file, "--into", "shop.loaded", "--dialect", dialect, "--header", "no", "--hosts", host, "--progress", "none")
		require.Zero(t, got.code, got.err+got.out)
		require.Equal(t, "p,c,zone,area\n1,2,Z,A\n", unload("shop.loaded"), dialect)
	}
}
