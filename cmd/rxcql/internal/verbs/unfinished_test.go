package verbs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an unload of several tables has come to before it ended looks like a whole keyspace.
func TestAFolderInWhichTablesAreMissingIsNotTakenForTheWholeKeyspace(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	dump := filepath.Join(t.TempDir(), "dump")
	unload := func(args ...string) ended {
		return rxcql(t, append([]string{"unload", "shop", "--out", dump, "--hosts", host, "--progress", "none", "--retry-time", "0"}, args...)...)
	}
	load := func(into string) ended {
		return rxcql(t, "load", dump, "--into", into, "--hosts", host, "--progress", "none")
	}
	stop := failing(server, "shop.stock")
	got := unload()
	require.Equal(t, 1, got.code, got.out+got.err)
	require.NoError(t, os.RemoveAll(filepath.Join(dump, "shop.stock"))) // as if its turn had not come
	got = load("archive")
	require.Equal(t, 2, got.code, got.out)
	require.Contains(t, got.err, "of shop.stock: let it go on")
	require.Contains(t, got.err, "0-unfinished.part")
	got = load("archive.orders")
	require.Zero(t, got.code, "it is there: %s", got.out+got.err)

	// Nothing is changed where files are in the way, so what was complete still is, and no more.
	got = unload("--except", "shop.stock")
	require.Equal(t, 1, got.code, got.out)
	require.Contains(t, load("archive").err, "of shop.stock: let it go on")
	stop()
	got = unload("--replace")
	require.Zero(t, got.code, got.out+got.err)
	require.NoFileExists(t, filepath.Join(dump, "0-unfinished.part"))
	got = unload()
	require.Equal(t, 1, got.code, "files are in the way")
	got = load("archive")
	require.Zero(t, got.code, got.out+got.err)
}

func TestEachShareOfAnUnloadSaysWhichTablesAreMissing(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	dump := filepath.Join(t.TempDir(), "dump")
	for _, shard := range []string{"0/2", "1/2"} {
		if shard == "1/2" {
			got := rxcql(t, "load", dump, "--into", "archive", "--hosts", host, "--progress", "none")
			require.Equal(t, 1, got.code, got.out)
			require.Contains(t, got.out, "none of share 1/2")
		}
		got := rxcql(t, "unload", "shop", "--out", dump, "--hosts", host, "--progress", "none", "--shard", shard)
		require.Zero(t, got.code, got.out+got.err)
	}
	got := rxcql(t, "load", dump, "--into", "archive", "--hosts", host, "--progress", "none")
	require.Zero(t, got.code, got.out+got.err)
	require.Contains(t, got.out, "300 rows read")
}
