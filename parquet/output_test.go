package parquet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/source"
)

func spots(from, n int) (rows []spot) {
	for i := range n {
		rows = append(rows, spot{int64(from + i), strings.Repeat(string(rune('a'+i%26)), 100)})
	}
	return rows
}

func filesIn(t *testing.T, folder string) (names []string) {
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAFileThatIsThereIsReplacedOnlyWhenAskedAndWhole(t *testing.T) {
	path := write(t, spots(0, 3))
	_, err := run(t, source.Of(spots(3, 3)...), parquet.Write[spot](path))
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorContains(t, err, "parquet.Overwrite()")

	broken := errors.New("broken off")
	fails := operators.Tap(source.Of(spots(3, 2000)...), func(s spot) error {
		if s.N == 2000 {
			return broken
		}
		return nil
	})
	rep, err := run(t, fails, parquet.Write[spot](path, parquet.Overwrite(), parquet.RowGroupBytes(64<<10)))
	require.ErrorIs(t, err, broken)
	require.Zero(t, rep.Written, "no file is complete")
	require.Equal(t, spots(0, 3), read[spot](t, path), "the file that was there stays")
	require.Equal(t, []string{"rows.parquet"}, filesIn(t, filepath.Dir(path)))

	rep, err = run(t, source.Of(spots(3, 3)...), parquet.Write[spot](path, parquet.Overwrite()))
	require.NoError(t, err)
	require.EqualValues(t, 3, rep.Written)
	require.Equal(t, spots(3, 3), read[spot](t, path))
}

func TestNumberedFilesAreBoundedAndHaveAllRows(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "spots.parquet")
	var all []blot
	random := make([]byte, 100)
	for i := range 50_000 {
		for j := range random {
			random[j] = byte(i*31 + j*j*i)
		}
		all = append(all, blot{int64(i), bytes.Clone(random)})
	}
	_, err := run(t, source.Of(all...), parquet.Write[blot](path, parquet.MaxFileBytes(1<<20), parquet.RowGroupBytes(256<<10), parquet.Uncompressed))
	require.NoError(t, err)
	names := filesIn(t, folder)
	require.Greater(t, len(names), 3)
	require.Equal(t, "spots-00001.parquet", names[0])
	for _, name := range names {
		info, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(1<<20+512<<10), name)
	}
	seen := map[int64]bool{}
	for row, err := range parquet.Read[blot](filepath.Join(folder, "spots-*.parquet")).All(context.Background()) {
		require.NoError(t, err)
		require.Equal(t, all[row.N], row)
		require.False(t, seen[row.N])
		seen[row.N] = true
	}
	require.Len(t, seen, len(all))

	_, err = run(t, source.Of(all[:10]...), parquet.Write[blot](path, parquet.MaxFileBytes(1<<20), parquet.Overwrite()))
	require.NoError(t, err)
	require.Equal(t, []string{"spots-00001.parquet"}, filesIn(t, folder), "the files of the longer run are gone")
}

func TestAJobThatGoesOnWritesEachRowOnce(t *testing.T) {
	folder := t.TempDir()
	in := write(t, spots(0, 3000), parquet.RowGroupBytes(64<<10))
	store := &jobtest.Store{}
	broken := errors.New("broken off")
	var stop func()
	for runs, done := 0, false; !done; runs++ {
		require.Less(t, runs, 50)
		rows := 0
		watched := operators.Tap(parquet.Read[spot](in, parquet.PageRows(50)), func(spot) error {
			switch rows++; {
			case rows == 300 && runs%2 == 1:
				return broken // nothing of this run is saved
			case rows == 400:
				stop()
			}
			return nil
		})
		out := parquet.Write[spot](filepath.Join(folder, "out.parquet"), parquet.MaxFileBytes(1<<20))
		p, err := rxcql.New(watched, out, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(time.Hour)))
		require.NoError(t, err)
		stop = p.Stop
		rep, err := p.Run(context.Background())
		if runs%2 == 1 && err != nil {
			require.ErrorIs(t, err, broken)
		} else {
			require.NoError(t, err)
		}
		if done = rep.Complete; !done { // a file that was complete, and that no save knows of
			names := filesIn(t, folder)
			content, err := os.ReadFile(filepath.Join(folder, names[0]))
			require.NoError(t, err)
			next := fmt.Sprintf("out-%05d.parquet", len(names)+1)
			require.NoError(t, os.WriteFile(filepath.Join(folder, next), content, 0o600))
		}
	}
	counts := map[int64]int{}
	for row, err := range parquet.Read[spot](filepath.Join(folder, "out-*.parquet")).All(context.Background()) {
		require.NoError(t, err)
		counts[row.N]++
	}
	require.Len(t, counts, 3000)
	for n, times := range counts {
		require.Equal(t, 1, times, "row %d", n)
	}
}

func TestOneFileIsRefusedInAJobByName(t *testing.T) {
	_, err := rxcql.New(source.SeqFrom("spots", numbersFrom), parquet.Write[spot](filepath.Join(t.TempDir(), "x.parquet")),
		rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "parquet.MaxFileBytes")
}

func numbersFrom(int64) iter.Seq2[spot, error] { return func(func(spot, error) bool) {} }

func TestAWriterGetsOneWholeFile(t *testing.T) {
	var out bytes.Buffer
	s := parquet.WriteTo[spot]("standard output", &out, parquet.Zstd)
	_, err := run(t, source.Of(spots(0, 1000)...), s)
	require.NoError(t, err)
	f, err := pq.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	require.EqualValues(t, 1000, f.NumRows())
	_, err = run(t, source.Of(spots(0, 1)...), s)
	require.ErrorIs(t, err, rxcql.ErrSingleRun)
}

func TestAStreamWithoutRowsMakesAFileWithItsColumns(t *testing.T) {
	path := write[spot](t, nil)
	require.Empty(t, read[spot](t, path))
	folder := t.TempDir()
	_, err := run(t, source.Of[rxcql.Row](), parquet.Write[rxcql.Row](filepath.Join(folder, "x.parquet")))
	require.NoError(t, err)
	require.Empty(t, filesIn(t, folder), "its columns are not known")
}
