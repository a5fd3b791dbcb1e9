package sink_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// into runs a job of 3000 numbers into three files, two of one name and one called as
// the second's stage would be, that is interrupted after failAt.
func into(t *testing.T, dir string, to func(i int, path string) rxcql.Sink[int]) func(failAt int) (rxcql.Report, error) {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "x"), 0o700))
	store, in := &jobtest.Store{}, numbersIn(t, 3000)
	return func(failAt int) (rxcql.Report, error) {
		rows := operators.Map(source.NDJSON[int](in, source.PageRows(100)), func(n int) (int, error) {
			if n%100 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			if n > failAt {
				return n, errors.New("broken off")
			}
			return n, nil
		})
		p, err := rxcql.New(rows, sink.Tee(to(0, filepath.Join(dir, "a")), to(1, filepath.Join(dir, "x", "a")), to(2, filepath.Join(dir, "a 2"))),
			rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
		require.NoError(t, err)
		return p.Run(context.Background())
	}
}

func filtered(keep func(int) bool, path string) rxcql.Sink[int] {
	return sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Filter(in, keep) }, sink.NDJSON[int](path))
}

func TestSinksWhoseNumberedNamesAreTheSame(t *testing.T) {
	run := into(t, t.TempDir(), func(i int, path string) rxcql.Sink[int] {
		return filtered(func(n int) bool { return n%3 == i }, path)
	})
	_, err := run(1500)
	require.ErrorContains(t, err, "broken off")
	_, err = run(5000)
	require.NoError(t, err)
}

// The same, where one file is the beginning of the other: it was cut where that one
// ended, and no one said so.
func TestNoFileIsCutWhereAnotherEnded(t *testing.T) {
	dir := t.TempDir()
	run := into(t, dir, func(i int, path string) rxcql.Sink[int] {
		return filtered(func(n int) bool { return i < 2 || n < 500 }, path)
	})
	_, err := run(1500)
	require.ErrorContains(t, err, "broken off")
	rep, err := run(5000)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	whole := content(t, filepath.Join(dir, "a"))
	require.Equal(t, 3000, strings.Count(whole, "\n"))
	require.Equal(t, whole, content(t, filepath.Join(dir, "x", "a")))
}
