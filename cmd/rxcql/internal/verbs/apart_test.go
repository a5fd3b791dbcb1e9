package verbs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// Addresses do not tell that two sides are one cluster: a host has several names. Its nodes do.
func TestATableIsNotCopiedComparedOrRepairedWithItself(t *testing.T) {
	server, host := shop(t)
	_, port, _ := strings.Cut(host, ":")
	sides := []string{"--source-hosts", host, "--target-hosts", "localhost:" + port}
	from := t.TempDir()
	before := server.Requests(cqlfake.Execute, "shop.orders") + server.Requests(cqlfake.Batch, "shop.orders")
	for _, args := range [][]string{
		{"copy", "shop"}, {"copy", "shop.orders", "--dry-run"}, {"copy", "shop.orders", "--to", "shop"}, {"copy", "shop", "--create", "--times"},
		{"diff", "shop", "--out", filepath.Join(from, "diff")}, {"repair", "shop.orders", "--file", "keys", "--out", filepath.Join(from, "repair")},
	} {
		got := rxcql(t, append(args, sides...)...)
		require.Equal(t, 2, got.code, "%v: %s", args, got.out)
		require.Contains(t, got.err, "both sides are one cluster")
		require.Contains(t, got.err, "shop.orders")
	}
	require.Equal(t, before, server.Requests(cqlfake.Execute, "shop.orders")+server.Requests(cqlfake.Batch, "shop.orders"))
	got := rxcql(t, append([]string{"copy", "shop.orders", "--to", "shop.stock"}, sides...)...)
	require.Zero(t, got.code, "two tables of one cluster: "+got.err)
}

func TestHostsOfTheEnvironmentDoNotReplaceThoseOfTheFilesOfTheSides(t *testing.T) {
	_, from := shop(t)
	server, to := shop(t)
	server.Exec("TRUNCATE shop.orders")
	rc := func(host string) string {
		name, port, _ := strings.Cut(host, ":")
		return write(t, "cqlshrc", "[connection]\nhostname = "+name+"\nport = "+port+"\n")
	}
	got := rxcqlWith(t, map[string]string{"RXCQL_HOSTS": from},
		"copy", "shop.orders", "--source-cqlshrc", rc(from), "--target-cqlshrc", rc(to), "--progress", "none")
	require.Zero(t, got.code, got.err)
	require.EqualValues(t, 100, rowsOf(t, to, "shop.orders"))
}
