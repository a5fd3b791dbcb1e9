package transfer_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/mounts"
	"github.com/rxcql/rxcql/transfer"
)

// There is room for the mark's name, and none for what it says.
func TestAnUnloadThatCannotWriteItsMarkLeavesWhatWasThere(t *testing.T) {
	folder := mounts.Inside(t)
	if folder == "" {
		return
	}
	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
	synctest.Test(t, func(t *testing.T) {
		server, _ := countTable(t, 20)
		session := server.Session("")
		path := filepath.Join(folder, "t-%d.ndjson")
		table := transfer.Table{Session: session, Name: "ks.t"}
		unload := func(opts ...transfer.UnloadOption) (int64, error) {
			job, err := transfer.Unload(table, path, opts...)
			require.NoError(t, err)
			rep, err := job.Run(t.Context())
			return rep.Written, err
		}
		rows, err := unload()
		require.NoError(t, err)
		left := syscall.Statfs_t{}
		require.NoError(t, syscall.Statfs(folder, &left))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "filler"), make([]byte, int64(left.Bavail)*left.Bsize), 0o600))

		_, err = unload(transfer.Replace())
		require.ErrorIs(t, err, syscall.ENOSPC)
		server.Exec("TRUNCATE ks.t")
		load, err := transfer.Load(path, table)
		require.NoError(t, err)
		rep, err := load.Run(t.Context())
		require.NoError(t, err, "the files are as they were")
		require.Equal(t, rows, rep.ReadRows)
	})
}
