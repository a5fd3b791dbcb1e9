package checkpoint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
)

func lockFile(t *testing.T, path string) rxcql.Checkpoint {
	t.Helper()
	c, err := checkpoint.File(path).Lock(t.Context(), "job")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Unlock()) })
	return c
}

func load(t *testing.T, c rxcql.Checkpoint) []byte {
	t.Helper()
	data, err := c.Load(t.Context())
	require.NoError(t, err)
	return data
}

func TestAFileGivesBackWhatWasSavedLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	c := lockFile(t, path)
	require.Nil(t, load(t, c))
	require.Nil(t, c.Lost())
	for _, data := range []string{"one\x00\xff\n", "2", "something longer than what was there before"} {
		require.NoError(t, c.Save(t.Context(), []byte(data)))
		require.Equal(t, []byte(data), load(t, c))
	}
	require.NoError(t, c.Unlock())
	require.FileExists(t, path+".lock") // it stays
	require.Equal(t, "something longer than what was there before", string(load(t, lockFile(t, path))))

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	require.NoFileExists(t, path+".tmp")
}

func TestNothingIsDoneBeforeLock(t *testing.T) {
	folder := t.TempDir()
	checkpoint.File(filepath.Join(folder, "job"))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestWhatACrashLeftNextToTheFileIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("of others"), 0o600))
	require.NoError(t, os.WriteFile(path+".tmp", []byte("half of a che"), 0o644))
	c := lockFile(t, path)
	require.NoFileExists(t, path+".tmp")
	require.Nil(t, load(t, c))

	// A file or link that appears there meanwhile is not written through.
	require.NoError(t, os.Symlink(secret, path+".tmp"))
	require.NoError(t, c.Save(t.Context(), []byte("new")))
	require.Equal(t, "new", string(load(t, c)))
	require.NoFileExists(t, path+".tmp")
	kept, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "of others", string(kept))
}

func TestNothingCannotBeSavedAndAnEmptyFileIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	c := lockFile(t, path)
	require.NoError(t, c.Save(t.Context(), []byte("old")))
	require.ErrorContains(t, c.Save(t.Context(), nil), path)
	require.Error(t, c.Save(t.Context(), []byte{}))
	require.Equal(t, "old", string(load(t, c)))

	require.NoError(t, os.Truncate(path, 0))
	_, err := c.Load(t.Context())
	require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged)
	require.ErrorContains(t, err, path)
}

func TestAPathThatIsNoFileIsRefusedByName(t *testing.T) {
	folder := t.TempDir()
	target := filepath.Join(folder, "target")
	link := filepath.Join(folder, "link")
	dangling := filepath.Join(folder, "dangling")
	plain := filepath.Join(folder, "plain")
	planted := filepath.Join(folder, "planted")
	require.NoError(t, os.WriteFile(target, []byte("data"), 0o600))
	require.NoError(t, os.WriteFile(plain, []byte("data"), 0o600))
	require.NoError(t, os.Symlink(target, link))
	require.NoError(t, os.Symlink(filepath.Join(folder, "nowhere"), dangling))
	require.NoError(t, os.Symlink(target, planted+".lock"))
	for _, c := range []struct{ path, says string }{
		{folder, "is a folder; give the path of a file in it"},
		{folder + "/", "is a folder; give the path of a file in it"},
		{link, "is a symbolic link; give the path of the file"},
		{dangling, "is a symbolic link; give the path of the file"},
		{filepath.Join(folder, "missing", "job"), "does not exist; make it first"},
		{filepath.Join(plain, "job"), "is not a folder"},
		{planted, "is not a regular file; remove it"},
		{os.DevNull, "is a device"},
	} {
		_, err := checkpoint.File(c.path).Lock(t.Context(), "job")
		require.ErrorContains(t, err, "checkpoint.File "+c.path+": lock: ")
		require.ErrorContains(t, err, c.says)
	}
	_, err := checkpoint.File("").Lock(t.Context(), "job")
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.Error(t, checkpoint.File("").(rxcql.ConfigChecker).ConfigError())
	kept, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "data", string(kept))
}

func TestAFileThatBecomesSomethingElseIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	c := lockFile(t, path)
	require.NoError(t, os.Mkdir(path, 0o700))
	require.ErrorContains(t, c.Save(t.Context(), []byte("new")), "is a folder")
	_, err := c.Load(t.Context())
	require.ErrorContains(t, err, "is a folder")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("elsewhere", path))
	require.ErrorContains(t, c.Save(t.Context(), []byte("new")), "is a symbolic link")
}

func TestALinkToTheFolderThatChangesLaterChangesNothing(t *testing.T) {
	folder := t.TempDir()
	first, second, current := filepath.Join(folder, "1"), filepath.Join(folder, "2"), filepath.Join(folder, "current")
	require.NoError(t, os.Mkdir(first, 0o700))
	require.NoError(t, os.Mkdir(second, 0o700))
	require.NoError(t, os.Symlink(first, current))
	c := lockFile(t, filepath.Join(current, "job"))
	_, err := checkpoint.File(filepath.Join(first, "job")).Lock(t.Context(), "job")
	require.ErrorIs(t, err, rxcql.ErrCheckpointLocked) // one file, two names of its folder

	require.NoError(t, os.Remove(current))
	require.NoError(t, os.Symlink(second, current))
	require.NoError(t, c.Save(t.Context(), []byte("data")))
	require.FileExists(t, filepath.Join(first, "job"))
	require.NoFileExists(t, filepath.Join(second, "job"))
}
