package sink_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func numbersIn(t *testing.T, n int) string {
	path := filepath.Join(t.TempDir(), "in.txt")
	f, err := os.Create(path)
	require.NoError(t, err)
	for i := range n {
		_, err = fmt.Fprintln(f, i)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	return path
}

// Three files, two of one name and one called as the second's stage is.
func TestSinksWhoseNumberedNamesAreTheSame(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "x"), 0o700))
	only := func(rest int, path string) rxcql.Sink[int] {
		return sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Filter(in, func(n int) bool { return n%3 == rest })
		}, sink.NDJSON[int](path))
	}
	store, in := &jobtest.Store{}, numbersIn(t, 3000)
	run := func(failAt int) error {
		rows := operators.Map(source.NDJSON[int](in, source.PageRows(100)), func(n int) (int, error) {
			if n%100 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			if n > failAt {
				return n, errors.New("broken off")
			}
			return n, nil
		})
		p, err := rxcql.New(rows, sink.Tee(only(0, filepath.Join(dir, "a")), only(1, filepath.Join(dir, "x", "a")), only(2, filepath.Join(dir, "a 2"))),
			rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		return err
	}
	require.ErrorContains(t, run(1500), "broken off")
	require.NoError(t, run(5000))
}

// The same, where one of the two is the beginning of the other: then one is cut
// where the other ended, and no one says so.
func TestNoFileIsCutWhereAnotherEnded(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "x"), 0o700))
	below := func(n int, path string) rxcql.Sink[int] {
		return sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Filter(in, func(i int) bool { return i < n })
		}, sink.NDJSON[int](path))
	}
	store, in := &jobtest.Store{}, numbersIn(t, 3000)
	run := func(failAt int) (rxcql.Report, error) {
		rows := operators.Map(source.NDJSON[int](in, source.PageRows(100)), func(n int) (int, error) {
			if n%100 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			if n > failAt {
				return n, errors.New("broken off")
			}
			return n, nil
		})
		p, err := rxcql.New(rows, sink.Tee(below(5000, filepath.Join(dir, "a")), below(5000, filepath.Join(dir, "x", "a")), below(500, filepath.Join(dir, "a 2"))),
			rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
		require.NoError(t, err)
		return p.Run(context.Background())
	}
	_, err := run(1500)
	require.ErrorContains(t, err, "broken off")
	rep, err := run(5000)
	if err != nil {
		return
	}
	require.True(t, rep.Complete)
	require.Equal(t, content(t, in), content(t, filepath.Join(dir, "a")))
	got := content(t, filepath.Join(dir, "x", "a"))
	require.Len(t, got, len(content(t, in)), "bytes in the second file of a job that says that it is complete")
}
