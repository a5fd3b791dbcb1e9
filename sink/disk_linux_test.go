package sink_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/mounts"
	"github.com/rxcql/rxcql/sink"
)

// savedLength is how much of a job's file its checkpoint takes for written.
func savedLength(t *testing.T, j *longJob) (n int64) {
	t.Helper()
	state, err := j.store.State("job")
	require.NoError(t, err)
	require.False(t, state.Complete)
	var at struct{ Offset int64 }
	require.NoError(t, json.Unmarshal(state.Sinks[0].State, &at))
	return at.Offset
}

func fileSinks(path string) map[string]rxcql.Sink[event] {
	return map[string]rxcql.Sink[event]{"CSV": sink.CSV[event](path), "NDJSON": sink.NDJSON[event](path)}
}

func TestDiskFullStopsTheRunWithTheErrorAndLosesNothing(t *testing.T) {
	folder := mounts.Inside(t)
	if folder == "" {
		return
	}
	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
	for name := range fileSinks("") {
		path, filler := filepath.Join(folder, name), filepath.Join(folder, "filler")
		require.NoError(t, os.WriteFile(filler, make([]byte, 32<<10), 0o600))
		j := newLongJob(4000)
		for range 3 { // it stays full
			j.parts.Read = 0
			rep, err := j.run(t, fileSinks(path)[name])
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.ErrorContains(t, err, "stage "+name)
			require.ErrorContains(t, err, path)
			require.False(t, rep.Complete)
			require.Less(t, j.parts.Read, 4000, "it stopped")
			require.LessOrEqual(t, savedLength(t, j), int64(len(content(t, path))), "what counts as written is there")
			lines := strings.Split(content(t, path), "\n")
			require.Empty(t, lines[len(lines)-1], "whole rows")
			require.Zero(t, rep.BytesInFlight)
		}
		require.NoError(t, os.Remove(filler))
		require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT, "size=1m"))
		rep, err := j.run(t, fileSinks(path)[name])
		require.NoError(t, err)
		require.True(t, rep.Resumed)
		if name == "CSV" {
			require.Equal(t, each(4000), content(t, path))
		} else {
			require.Equal(t, 4000, strings.Count(content(t, path), "}\n"))
		}
		require.NoError(t, os.Remove(path))
		require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT, "size=64k"))
	}
}

func TestDiskThatIsReadOnlyStopsTheRunBeforeAnythingIsRead(t *testing.T) {
	folder := mounts.Inside(t)
	if folder == "" {
		return
	}
	begun := newLongJob(1000)
	begun.stop = 300
	path := filepath.Join(folder, "begun")
	_, err := begun.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.NoError(t, syscall.Mount(folder, folder, "", syscall.MS_BIND, ""))
	readOnly := func(flag uintptr) {
		require.NoError(t, syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|flag, ""))
	}
	readOnly(syscall.MS_RDONLY)
	for name, to := range fileSinks(filepath.Join(folder, "new")) {
		j := newLongJob(1000)
		rep, err := j.run(t, to)
		require.ErrorIs(t, err, syscall.EROFS)
		require.ErrorContains(t, err, "stage "+name)
		require.ErrorContains(t, err, filepath.Join(folder, "new"))
		require.Zero(t, rep.Pages)
		require.Nil(t, j.store.Get("job"), "nothing is saved")
	}
	before := savedLength(t, begun)
	begun.stop, begun.parts.Read = 0, 0
	_, err = begun.run(t, sink.CSV[event](path))
	require.ErrorIs(t, err, syscall.EROFS)
	require.Zero(t, begun.parts.Read)
	require.Equal(t, before, savedLength(t, begun))
	readOnly(0)
	_, err = begun.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.Equal(t, each(1000), content(t, path))
}

func TestDiskFullIsNoticedWithoutACheckpointToo(t *testing.T) {
	folder := mounts.Inside(t)
	if folder == "" {
		return
	}
	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
	path := filepath.Join(folder, "out")
	rep, err := run(t, ints(100_000), sink.NDJSON[int](path))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Equal(t, rep.Written, int64(strings.Count(content(t, path), "\n")), "what counts as written is there")
	require.Less(t, rep.PagesSettled, rep.Pages)
}
