package checkpoint_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/syncwatch"
)

// A kill leaves what the kernel has; only a power cut shows whether the disk had
// it. So these tests watch the system calls: the kernel asks them about each
// fsync and rename of the thread that saves (seccomp, user notification).
func TestSaveSyncsTheFileThenRenamesThenSyncsTheFolder(t *testing.T) {
	folder := t.TempDir()
	c := lockFile(t, filepath.Join(folder, "job"))
	calls, err := syncwatch.Watch(func() error { return c.Save(t.Context(), []byte("new")) }, nil)
	require.NoError(t, err)
	require.Equal(t, []string{syncwatch.Fsync(folder + "/job.tmp"), syncwatch.Rename, syncwatch.Fsync(folder)}, calls)
}

func TestASaveThatIsNotDurableIsAnError(t *testing.T) {
	for _, failing := range []string{"fsync %s/job.tmp", "rename", "fsync %s"} {
		folder := t.TempDir()
		path := filepath.Join(folder, "job")
		call := failing
		if failing != "rename" {
			call = fmt.Sprintf(failing, folder)
		}
		c := lockFile(t, path)
		require.NoError(t, c.Save(t.Context(), []byte("old")))
		_, err := syncwatch.Watch(func() error { return c.Save(t.Context(), []byte("new")) }, map[string]syscall.Errno{call: syscall.EIO})
		require.ErrorIs(t, err, syscall.EIO, failing)
		require.ErrorContains(t, err, path)
		require.NoFileExists(t, path+".tmp")
		if call == "fsync "+folder {
			require.Contains(t, []string{"old", "new"}, string(load(t, c)))
			continue
		}
		require.Equal(t, "old", string(load(t, c)), failing)
	}
}
