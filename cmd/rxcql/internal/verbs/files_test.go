package verbs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// rowsOf counts the rows of a table.
func rowsOf(t *testing.T, host, table string) int64 {
	t.Helper()
	got := rxcql(t, "count", table, "--hosts", host, "--json", "-", "--progress", "none")
	require.Zero(t, got.code, got.err)
	return parsed(t, got.out).Tables[0].Report.Rows
}

func TestStandardOutputHasTheDataAlone(t *testing.T) {
	_, host := shop(t)
	got := rxcql(t, "unload", "shop.orders", "--out", "-", "--hosts", host, "--delimiter", ";", "--header", "no")
	require.Zero(t, got.code, got.err)
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	require.Len(t, lines, 100)
	for _, line := range lines {
		require.True(t, strings.HasSuffix(line, ";x"), line)
	}
	require.Contains(t, got.err, "100 rows read")

	got = rxcql(t, "unload", "shop.orders", "--out", "-", "--hosts", host, "--json", "-")
	require.NotZero(t, got.code)
	require.Contains(t, got.err, "standard output has the data already")
}

func TestAKeyspaceIsUnloadedAndLoadedInEachFormat(t *testing.T) {
	server, host := shop(t)
	for i, format := range []string{"csv", "ndjson", "json", "parquet"} {
		folder, to := filepath.Join(t.TempDir(), "dump"), fmt.Sprint("copy_", i)
		got := rxcql(t, "unload", "shop", "--out", folder, "--format", format, "--hosts", host, "--progress", "none")
		require.Zero(t, got.code, got.err+got.out)
		server.Keyspace(to, "orders (id int PRIMARY KEY, v text)", "stock (id int PRIMARY KEY, v text)", `"Odd" (id int PRIMARY KEY, v text)`)
		got = rxcql(t, "load", folder, "--into", to, "--format", format, "--hosts", host, "--progress", "none")
		require.Zero(t, got.code, got.err+got.out)
		for _, table := range []string{"orders", "stock", `"Odd"`} {
			require.EqualValues(t, 100, rowsOf(t, host, to+"."+table), "%s %s", format, table)
		}
	}
}

func TestBadRecordsAreKeptAndMakeTheExitCodeThree(t *testing.T) {
	server := cqlfake.New(t, cqlfake.Loopback())
	server.Keyspace("shop", "orders (id int PRIMARY KEY, v text)")
	host := fmt.Sprintf("%s:%d", server.Cluster().Hosts[0], server.Cluster().Port)
	folder := t.TempDir()
	file, bad := filepath.Join(folder, "in.csv"), filepath.Join(folder, "bad.ndjson")
	require.NoError(t, os.WriteFile(file, []byte("id,v\n1,a\nx,b\n3,c\n"), 0o600))
	args := []string{"load", file, "--into", "shop.orders", "--hosts", host, "--progress", "none"}
	got := rxcql(t, args...)
	require.Equal(t, 1, got.code, "by default the first one ends the run")
	require.Contains(t, got.out, "line 3")

	got = rxcql(t, append(args, "--bad", bad)...)
	require.Equal(t, 3, got.code, got.err+got.out)
	require.Contains(t, got.out, "1 bad rows are in the file for them")
	require.EqualValues(t, 2, rowsOf(t, host, "shop.orders"))
	text, err := os.ReadFile(bad)
	require.NoError(t, err)
	require.Contains(t, string(text), "in.csv")

	require.Equal(t, 3, rxcql(t, append(args, "--max-errors", "1")...).code)
	require.Equal(t, 1, rxcql(t, append(args, "--max-errors", "0")...).code)
	require.Equal(t, 1, rxcql(t, append(args, "--max-errors", "10%")...).code)
	require.Equal(t, 3, rxcql(t, append(args, "--max-errors", "50%")...).code)
}

func TestFlagsOfFilesThatAreWrongAreToldAtOnce(t *testing.T) {
	_, host := shop(t)
	got := rxcql(t, "unload", "shop.orders", "--hosts", host, "--out", "f", "--delimiter", "ab", "--header", "maybe", "--encoding", "ebcdic",
		"--decimals", "roman", "--booleans", "yes", "--zone", "Nowhere/X", "--compress", "rar", "--file-bytes", "x")
	require.Equal(t, 2, got.code)
	for _, flag := range []string{"--delimiter", "--header", "--encoding", "--decimals", "--booleans", "--zone", "--compress", "--file-bytes"} {
		require.Contains(t, got.err, flag)
	}
	for _, args := range [][]string{
		{"unload", "shop.orders", "--out", "f.ndjson", "--delimiter", ";"},
		{"unload", "shop.orders", "--out", "f", "--format", "xml"},
		{"unload", "shop", "--out", "-"},
		{"unload", "shop.orders"},
		{"load", "f.csv", "--into", "shop.orders", "--max-errors", "few"},
		{"load", "f.csv", "--into", "shop.orders", "--shard", "0/2"},
		{"load", "f.csv"},
	} {
		got := rxcql(t, append(args, "--hosts", host)...)
		require.Equal(t, 2, got.code, "%v: %s", args, got.err)
	}
}
