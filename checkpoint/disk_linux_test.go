package checkpoint_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/internal/mounts"
)

func TestAFullDiskLeavesWhatWasSavedBefore(t *testing.T) {
	folder := mounts.Inside(t)
	if folder == "" {
		return
	}
	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
	path := filepath.Join(folder, "job")
	c := lockFile(t, path)
	old := []byte(strings.Repeat("old ", 5_000))
	require.NoError(t, c.Save(t.Context(), old))

	for range 3 { // what a failed Save has written is not left in the way
		err := c.Save(t.Context(), make([]byte, 60_000))
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.ErrorContains(t, err, "checkpoint.File "+path+": save: ")
		require.ErrorContains(t, err, "free space on that disk")
		require.NoFileExists(t, path+".tmp")
		require.Equal(t, old, load(t, c))
	}
	require.NoError(t, c.Save(t.Context(), []byte("small")))
	require.Equal(t, "small", string(load(t, c)))

	// With no page left at all the lock can be had, but its file says nothing.
	require.ErrorIs(t, os.WriteFile(filepath.Join(folder, "filler"), make([]byte, 100_000), 0o600), syscall.ENOSPC)
	other := lockFile(t, filepath.Join(folder, "other"))
	require.ErrorIs(t, other.Save(t.Context(), []byte("x")), syscall.ENOSPC)
	_, err := checkpoint.File(filepath.Join(folder, "other")).Lock(t.Context(), "job")
	require.ErrorContains(t, err, "another process holds")
}

func TestAReadOnlyFileSystemIsNamed(t *testing.T) {
	folder := mounts.Inside(t)
	if folder == "" {
		return
	}
	path := filepath.Join(folder, "job")
	c := lockFile(t, path)
	require.NoError(t, c.Save(t.Context(), []byte("old")))
	require.NoError(t, syscall.Mount(folder, folder, "", syscall.MS_BIND, ""))
	require.NoError(t, syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))

	err := c.Save(t.Context(), []byte("new"))
	require.ErrorIs(t, err, syscall.EROFS)
	require.ErrorContains(t, err, "checkpoint.File "+path+": save: ")
	require.ErrorContains(t, err, "give a path on one that can be written")
	require.Equal(t, "old", string(load(t, c)))
	require.NoError(t, c.Unlock())

	_, err = checkpoint.File(path).Lock(t.Context(), "job")
	require.ErrorIs(t, err, syscall.EROFS)
	require.ErrorContains(t, err, "checkpoint.File "+path+": lock: ")
}

func TestAFolderWithoutPermissionIsNamed(t *testing.T) {
	var folder string
	if os.Getuid() != 0 {
		folder = t.TempDir()
	} else if folder = mounts.Inside(t); folder == "" { // bits do not bind root: that process becomes another user
		return
	}
	path, locked := filepath.Join(folder, "job"), filepath.Join(folder, "locked")
	require.NoError(t, os.WriteFile(locked, []byte("of root"), 0o600))
	require.NoError(t, os.WriteFile(locked+".lock", nil, 0o666))
	require.NoError(t, os.Chmod(locked+".lock", 0o666))
	if os.Getuid() == 0 {
		require.NoError(t, syscall.Setuid(65534))
	} else {
		require.NoError(t, os.Chmod(locked, 0))
		require.NoError(t, os.Chmod(folder, 0o555))
		t.Cleanup(func() { require.NoError(t, os.Chmod(folder, 0o755)) }) // to be removed
	}

	_, err := checkpoint.File(path).Lock(t.Context(), "job")
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "checkpoint.File "+path+": lock: ")
	require.ErrorContains(t, err, "let this user read and write the folder")

	c := lockFile(t, locked)
	_, err = c.Load(t.Context())
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "checkpoint.File "+locked+": load: ")
	require.ErrorIs(t, c.Save(t.Context(), []byte("new")), os.ErrPermission)
}
