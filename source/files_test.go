package source_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// failingAfter is a sink that fails at the row of a number, counted over all runs; -1 for never.
func failingAfter[T any](n *int, at int) rxcql.Sink[T] {
	var mu sync.Mutex
	return sink.Each(func(context.Context, T) error {
		mu.Lock()
		defer mu.Unlock()
		if *n++; *n == at {
			return errors.New("broken on purpose")
		}
		return nil
	}, sink.Idempotent())
}

// folder writes files of so many numbers each, counted on from file to file.
func folder(t *testing.T, rows ...int) string {
	t.Helper()
	dir, next := t.TempDir(), 0
	for i, n := range rows {
		var b strings.Builder
		for range n {
			fmt.Fprintln(&b, next)
			next++
		}
		text := b.String()
		if i%2 == 1 {
			text = gzipped(t, text)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%02d", i)), []byte(text), 0o600))
	}
	return dir
}

func sorted(t *testing.T, in rxcql.Stream[int], opts ...rxcql.Option) []int {
	t.Helper()
	got, err := in.Collect(t.Context(), opts...)
	require.NoError(t, err)
	slices.Sort(got)
	return got
}

func TestAllFilesOfAPatternAreReadInFull(t *testing.T) {
	dir := folder(t, 700, 0, 1, 1500, 512, 3)
	want := make([]int, 2716)
	for i := range want {
		want[i] = i
	}
	for _, workers := range []int{1, 4, 32} {
		in := source.NDJSONFiles[int]([]string{filepath.Join(dir, "part-*")}, source.PageRows(100))
		require.Equal(t, want, sorted(t, in, rxcql.WithWorkers(workers)))
	}
	twice := source.NDJSONFiles[int]([]string{filepath.Join(dir, "part-0[0-2]"), filepath.Join(dir, "part-*"), filepath.Join(dir, "part-03")})
	require.Equal(t, want, sorted(t, twice), "each file once")
	n, err := twice.Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput), rxcql.WithWorkers(8))
	require.NoError(t, err)
	require.EqualValues(t, 2716, n)
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	dir := folder(t, 3, 3)
	path := func(name string) []string { return []string{filepath.Join(dir, name)} }
	for says, in := range map[string]rxcql.Stream[int]{
		"no file matches": source.NDJSONFiles[int](path("none-*")),
	} {
		p, err := rxcql.New(in, discard[int]())
		require.NoError(t, err)
		for _, err := range []error{p.Check(t.Context()), second(p.Run(t.Context()))} {
			require.ErrorIs(t, err, rxcql.ErrSchema)
			require.ErrorContains(t, err, says)
		}
	}
	_, err := rxcql.New(source.NDJSONFiles[int](nil), discard[int]())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	_, err = rxcql.New(source.NDJSONFiles[int]([]string{"["}), discard[int]())
	require.ErrorIs(t, err, rxcql.ErrConfig)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "part-02"), []byte("7\nx\n8\n"), 0o600))
	_, err = source.NDJSONFiles[int](path("part-*")).Count(t.Context())
	require.ErrorContains(t, err, "part-02, line 2")
	rep, err := source.NDJSONFiles[int](path("part-*")).ForEach(t.Context(), func(int) error { return nil }, rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.NoError(t, err)
	require.EqualValues(t, []int64{9, 1}, []int64{rep.ReadRows, rep.Skipped})
	require.Contains(t, rep.RowErrors[0].Place, "part-02, line 2")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "part-03.part"), []byte("9\n"), 0o600))
	_, err = source.NDJSONFiles[int](path("part-*")).Count(t.Context())
	require.ErrorContains(t, err, "is not complete")
}

func TestEachFileOfCSVHasItsHeader(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.csv"), []byte("id,text\n1,x\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.csv"), []byte("text,id\ny,2\n"), 0o600))
	got, err := source.CSVFiles[note]([]string{filepath.Join(dir, "*.csv")}).Collect(t.Context())
	require.NoError(t, err)
	slices.SortFunc(got, func(a, b note) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	require.Len(t, got, 2)
	require.NotEqual(t, got[0], got[1])
}

func TestAJobGoesOnInSeveralFiles(t *testing.T) {
	dir := folder(t, 300, 400, 1, 500)
	in := func() rxcql.Stream[int] {
		return source.NDJSONFiles[int]([]string{filepath.Join(dir, "part-*")}, source.PageRows(10))
	}
	store, seen, rows := &jobtest.Store{}, map[int]bool{}, 0
	run := func(failAt, workers int) error {
		var mu sync.Mutex
		n := 0
		p, err := rxcql.New(in(), sink.Each(func(_ context.Context, row int) error {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == failAt {
				return errors.New("broken on purpose")
			}
			rows++
			seen[row] = true
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithWorkers(workers))
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		return err
	}
	for _, workers := range []int{1, 3, 2, 4} {
		require.ErrorContains(t, run(250, workers), "on purpose")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "part-04"), []byte("1\n"), 0o600))
	require.ErrorIs(t, run(-1, 2), rxcql.ErrCheckpointForeign, "a further file")
	require.NoError(t, os.Remove(filepath.Join(dir, "part-04")))
	require.NoError(t, run(-1, 2))
	require.Len(t, seen, 1201)
	require.Less(t, rows, 1201+4*600, "what was settled is not read again")
}

func TestAFileThatASinkWritesIsNotReadInTheSameRun(t *testing.T) {
	dir := folder(t, 10)
	p, err := rxcql.New(source.NDJSONFiles[int]([]string{filepath.Join(dir, "part-*")}),
		sink.NDJSON[int](filepath.Join(dir, "part-00"), sink.Overwrite()))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.Error(t, err)
	text, err := os.ReadFile(filepath.Join(dir, "part-00"))
	require.NoError(t, err)
	require.Len(t, strings.Fields(string(text)), 10, "nothing is lost")
}
