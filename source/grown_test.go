package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// failing hands on everything and fails at the end: all of its sources are done
// then, and the job is not complete.
func failing[T any](in rxcql.Stream[T]) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Failing"}, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return failingAtEnd[T]{out}
	})
}

type failingAtEnd[T any] struct{ flow.Observer[T] }

func (f failingAtEnd[T]) Done(context.Context, bool) error { return os.ErrDeadlineExceeded }

// job runs a job and returns the rows that it wrote.
func job[T any](t *testing.T, in rxcql.Stream[T], store *jobtest.Store, opts ...rxcql.CheckpointOption) (got []T, rep rxcql.Report, err error) {
	t.Helper()
	p, err := rxcql.New(in, sink.Each(func(_ context.Context, row T) error {
		got = append(got, row)
		return nil
	}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job", opts...))
	require.NoError(t, err)
	rep, err = p.Run(context.Background())
	return got, rep, err
}

// readToItsEnd has a job read a file to its end without being complete.
func readToItsEnd(t *testing.T, path string, store *jobtest.Store) {
	t.Helper()
	_, _, err := job(t, failing(source.NDJSON[int](path, source.PageRows(10))), store)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	state, err := store.State("job")
	require.NoError(t, err)
	require.False(t, state.Complete)
}

func grow(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestWhatComesToAFileAfterItsEndWasReadIsReadToo(t *testing.T) {
	path, store := numbersFile(t, 20), &jobtest.Store{}
	readToItsEnd(t, path, store)
	for range 2 { // nothing, and nothing twice
		got, rep, err := job(t, failing(source.NDJSON[int](path)), store)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Empty(t, got)
		require.EqualValues(t, 20, rep.ResumedRows)
	}
	grow(t, path, "20\n21\nx\n")
	got, rep, err := job(t, source.NDJSON[int](path), store)
	require.ErrorContains(t, err, "line 23", "lines are counted on")
	require.Equal(t, []int{20, 21}, got)
	require.EqualValues(t, 20, rep.ResumedRows)

	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(content(t, path), "x", "22")), 0o600))
	got, rep, err = job(t, source.NDJSON[int](path), store)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, []int{22}, got)
	require.EqualValues(t, 22, rep.ResumedRows)

	got, rep, err = job(t, source.NDJSON[int](path), store)
	require.NoError(t, err)
	require.False(t, rep.Resumed)
	require.Len(t, got, 23, "a job that is complete begins anew")
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestAFileThatWasReadToItsEndMustStillBeThatFile(t *testing.T) {
	for name, c := range map[string]struct{ was, is, says string }{
		"replaced":                  {"1\n2\n3\n", "4\n5\n6\n7\n8\n", "other bytes before offset 6"},
		"replaced by one as long":   {"1\n2\n3\n", "1\n2\n4\n", "other bytes before offset 6"},
		"replaced by a shorter one": {"1\n2\n3\n", "9\n", "shorter than 6"},
		"emptied":                   {"1\n2\n3\n", "", "shorter than 6"},
		"the last row goes on":      {"1\n2\n3", "1\n2\n34\n5\n", "line 3: it was the last line and had no line end"},
		"and ends in a \\r alone":   {"1\n2\n3", "1\n2\n3\r", "line 3: it was the last line and had no line end"},
		"after a byte order mark":   {"\ufeff3", "\ufeff34\n", "line 1: it was the last line and had no line end"},
	} {
		t.Run(name, func(t *testing.T) {
			path, store := fileWith(t, c.was), &jobtest.Store{}
			readToItsEnd(t, path, store)
			require.NoError(t, os.WriteFile(path, []byte(c.is), 0o600))
			got, _, err := job(t, source.NDJSON[int](path), store)
			require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, c.says)
			require.Empty(t, got)
			require.NoError(t, os.WriteFile(path, []byte(c.was), 0o600))
			got, _, err = job(t, source.NDJSON[int](path), store)
			require.NoError(t, err, "the refusal has kept what was saved")
			require.Empty(t, got)
		})
	}
}

func TestAFileGrowsBehindItsLastLineHoweverThatEnded(t *testing.T) {
	for name, c := range map[string]struct {
		was, more string
		want      []int
	}{
		"ended":                     {"1\n2\n", "3\nx\n", []int{3}},
		"not ended":                 {"1\n2", "\n3\nx\n", []int{3}},
		"not ended, with \\r\\n":    {"1\r\n2", "\r\n3\r\nx\r\n", []int{3}},
		"ended by half":             {"1\r\n2\r", "\n3\r\nx\r\n", []int{3}},
		"not ended, and ends later": {"1\n2", "\n", nil},
		"was empty":                 {"", "1\n2\nx\n", []int{1, 2}},
		"was empty, with a mark":    {"", "\ufeff1\n2\nx\n", []int{1, 2}},
		"was a mark alone":          {"\ufeff", "1\n2\nx\n", []int{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			path, store := fileWith(t, c.was), &jobtest.Store{}
			readToItsEnd(t, path, store)
			grow(t, path, c.more)
			got, _, err := job(t, source.NDJSON[int](path), store)
			require.Equal(t, c.want, got)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			bad := fmt.Sprintf("line %d:", strings.Count(c.was+c.more, "\n"))
			require.ErrorContains(t, err, bad)
			got, _, err = job(t, source.NDJSON[int](path), store)
			require.ErrorContains(t, err, bad, "and it goes on from there as well")
			require.Empty(t, got)
		})
	}
}

func TestAFileOfCSVGrowsBehindItsLastRecord(t *testing.T) {
	type row struct {
		N int    `cql:"n"`
		S string `cql:"s"`
	}
	for _, c := range []struct {
		was, more string
		want      []row
		says      string
	}{
		{"n,s", "\r\n1,a\r\n", []row{{1, "a"}}, ""},
		{"n,s\n1,a", "\n2,b\n", []row{{2, "b"}}, ""},
		{"n,s\n1,\"a\n\"", "\n2,b\n", []row{{2, "b"}}, ""},
		{"n,s\n1,a", "b\n2,b\n", nil, "line 2: it was the last line"},
		{"n,s\n1,\"a\n\"", "\"\"\n2,b\n", nil, "line 3: it was the last line"},
	} {
		path, store := fileWith(t, c.was), &jobtest.Store{}
		_, _, err := job(t, failing(source.CSV[row](path)), store)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		grow(t, path, c.more)
		got, _, err := job(t, source.CSV[row](path), store)
		require.Equal(t, c.want, got)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, c.says)
	}
}

func TestAJobThatIsToRunOnceLeavesAFileThatHasGrownAsItIs(t *testing.T) {
	path, store := numbersFile(t, 20), &jobtest.Store{}
	other := filepath.Join(t.TempDir(), "other.txt")
	require.NoError(t, os.WriteFile(other, []byte("7\n"), 0o600))
	in := func() rxcql.Stream[int] { return operators.Merge(source.NDJSON[int](path), source.NDJSON[int](other)) }
	got, _, err := job(t, in(), store, rxcql.RunOnce())
	require.NoError(t, err)
	require.Len(t, got, 21)
	grow(t, path, "20\n")
	for range 2 {
		got, rep, err := job(t, in(), store, rxcql.RunOnce())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Empty(t, got)
		require.EqualValues(t, 21, rep.ResumedRows)
	}
}

func TestOneOfSeveralFilesMayGrowWhileTheJobIsAtTheOthers(t *testing.T) {
	path, store := numbersFile(t, 20), &jobtest.Store{}
	large := filepath.Join(t.TempDir(), "large.txt")
	require.NoError(t, os.WriteFile(large, []byte(strings.Repeat("-1\n", 3000)), 0o600))
	run := func(failAt int) ([]int, error) {
		left := failAt
		got, _, err := job(t, operators.Merge(source.NDJSON[int](path, source.PageRows(10)),
			operators.Tap(source.NDJSON[int](large, source.PageRows(10)), func(int) error {
				if left--; left == 0 {
					return os.ErrDeadlineExceeded
				}
				return nil
			})), store)
		return slices.DeleteFunc(got, func(n int) bool { return n < 0 }), err
	}
	first, err := run(2000)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	grow(t, path, "20\n21\n")
	then, err := run(0)
	require.NoError(t, err)
	require.Subset(t, then, []int{20, 21})
	require.Subset(t, append(first, then...), []int{0, 1, 10, 19})
}
