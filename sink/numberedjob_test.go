package sink_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

// A job is broken off again and again, some of the times after files were completed that the
// checkpoint takes for open, or after files were made that it does not know.
func TestAJobGoesOnInItsFilesWithEachRowOnce(t *testing.T) {
	for name, opts := range map[string][]sink.CSVOption{
		"plain": {sink.MaxBytes(4096), sink.Parallel(3)}, "gzip": {sink.MaxBytes(4096), sink.Parallel(3), sink.Gzip()},
	} {
		t.Run(name, func(t *testing.T) {
			dir, j := t.TempDir(), newLongJob(6000)
			to := func() rxcql.Sink[event] { return sink.CSV[event](filepath.Join(dir, "p-%02d.csv"), opts...) }
			random := rand.New(rand.NewPCG(1, 2))
			ended := 0
			for range 12 {
				j.seen, j.stop, j.fail = 0, 0, 0
				if random.IntN(2) == 0 {
					j.stop = 1 + random.IntN(600)
				} else {
					j.fail = 1 + random.IntN(600)
				}
				rep, err := j.run(t, to())
				if err != nil {
					require.ErrorIs(t, err, errBroken)
				}
				if rep.Complete {
					ended++
				}
			}
			j.seen, j.stop, j.fail = 0, 0, 0
			if ended == 0 {
				_, err := j.run(t, to())
				require.NoError(t, err)
			}
			if name == "gzip" {
				names, _ := folder(t, dir)
				for _, f := range names {
					path := filepath.Join(dir, f)
					require.NoError(t, os.WriteFile(path, []byte(unpacked(t, "gzip", path)), 0o600))
				}
			}
			require.Equal(t, keysTo(6000), keysIn(t, dir))
		})
	}
}

// state makes a job that was stopped in the middle, with files that are open in its checkpoint: it
// fails, so that no file was completed at its end.
func openJob(t *testing.T, pattern string) *longJob {
	t.Helper()
	j := newLongJob(1000)
	j.stop = 301
	_, err := j.run(t, sink.CSV[event](pattern, sink.Parallel(1)))
	require.NoError(t, err)
	return j
}

func TestFilesThatCameAfterTheSaveAreRemoved(t *testing.T) {
	dir := t.TempDir()
	pattern := filepath.Join(dir, "p-%d")
	j := openJob(t, pattern)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p-55"), []byte("p,c,v\n1,0,v\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p-1.part"), []byte("p,c,v\n1,0,v\n"), 0o600))
	j.seen, j.stop = 0, 0
	_, err := j.run(t, sink.CSV[event](pattern, sink.Parallel(1)))
	require.NoError(t, err)
	require.Equal(t, keysTo(1000), keysIn(t, dir))
}

func TestAFileThatWasChangedSinceItsSaveIsRefused(t *testing.T) {
	dir := t.TempDir()
	pattern, j := filepath.Join(dir, "p-%d"), newLongJob(1000)
	j.store.FailSave = func(n int) error { // after a save with an open file
		if n > 3 {
			return errBroken
		}
		return nil
	}
	_, err := j.run(t, sink.Tee(sink.CSV[event](pattern, sink.Parallel(1)), slowly()))
	require.ErrorIs(t, err, errBroken)
	names, _ := folder(t, dir)
	require.Equal(t, []string{"p-0.part"}, names)
	j.store.FailSave = nil
	path := filepath.Join(dir, "p-0.part")
	whole := content(t, path)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(whole, ",v", ",w", 1)), 0o600))
	_, err = j.run(t, sink.Tee(sink.CSV[event](pattern, sink.Parallel(1)), slowly()))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, path)

	// It was completed after the save: it is opened again, and cut.
	require.NoError(t, os.WriteFile(path, []byte(whole+"1,0,v\n"), 0o600))
	require.NoError(t, os.Rename(path, strings.TrimSuffix(path, ".part")))
	_, err = j.run(t, sink.Tee(sink.CSV[event](pattern, sink.Parallel(1)), slowly()))
	require.NoError(t, err)
	require.Equal(t, keysTo(1000), keysIn(t, dir))
}

// slowly is a sink that gives saves the time to come.
func slowly() rxcql.Sink[event] {
	return sink.Each(func(context.Context, event) error {
		time.Sleep(100 * time.Microsecond)
		return nil
	}, sink.Idempotent())
}
