package sink_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/syncwatch"
	"github.com/rxcql/rxcql/sink"
)

func TestAFileIsDurableAtTheEndAndAtEverySave(t *testing.T) {
	path := outPath(t)
	folder := filepath.Dir(path)
	synced, err := syncwatch.Watch(func() error {
		_, err := run(t, ints(10), sink.NDJSON[int](path))
		return err
	}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{syncwatch.Fsync(folder), syncwatch.Fsync(path)}, synced, "its name, and what is in it")

	path = filepath.Join(folder, "job")
	j := newLongJob(10)
	synced, err = syncwatch.Watch(func() error {
		_, err := j.run(t, sink.CSV[event](path))
		return err
	}, nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(synced), 4, "its name, the first save, the end, the last save")
	require.Equal(t, syncwatch.Fsync(folder), synced[0])
	for _, each := range synced[1:] {
		require.Equal(t, syncwatch.Fsync(path), each)
	}
}

func TestAFileThatIsNotDurableIsAnErrorAndNotSaved(t *testing.T) {
	path := outPath(t)
	j := newLongJob(100)
	j.stop = 50
	_, err := j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	before := savedLength(t, j)
	j.stop = 0
	_, err = syncwatch.Watch(func() error {
		_, err := j.run(t, sink.CSV[event](path))
		return err
	}, map[string]syscall.Errno{syncwatch.Fsync(path): syscall.EIO})
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorContains(t, err, "stage CSV out")
	require.Equal(t, before, savedLength(t, j))
	rep, err := j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, each(100), content(t, path))
}
