package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// day writes part.ndjson into a folder of that name, and returns its path.
func day(t *testing.T, root, name, text string) string {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(root, name), 0o700))
	path := filepath.Join(root, name, "part.ndjson")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTwoFilesOfOneNameInAJobAreRefusedByNew(t *testing.T) {
	root := t.TempDir()
	one, two := day(t, root, "1", "1\n"), day(t, root, "2", "2\n")
	twoOf := func(one, two string) rxcql.Stream[int] {
		return operators.Merge(source.NDJSON[int](one), source.NDJSON[int](two))
	}
	with := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	for _, second := range []string{two, one} {
		_, err := rxcql.New(twoOf(one, second), discard[int](), with)
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorIs(t, err, rxcql.ErrNotResumable)
		require.ErrorContains(t, err, "NDJSON part.ndjson")
		require.ErrorContains(t, err, one)
		require.ErrorContains(t, err, second)
		require.ErrorContains(t, err, "rename one of them")
	}

	_, err := rxcql.New(twoOf(one, two), discard[int]())
	require.NoError(t, err, "without a checkpoint nothing is known by its name")
	_, err = rxcql.New(twoOf(one, numbersFile(t, 1)), discard[int](), with)
	require.NoError(t, err)
	type row struct {
		N int `cql:"n"`
	}
	both := operators.Merge(source.NDJSON[int](one),
		operators.Map(source.CSV[row](two), func(r row) (int, error) { return r.N, nil }))
	_, err = rxcql.New(both, discard[int](), with)
	require.NoError(t, err, "the format tells them apart")
}
