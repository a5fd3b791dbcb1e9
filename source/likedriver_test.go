package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// skipsOne reads a stream of which one row is to be left out.
func skipsOne[T any](t *testing.T, in rxcql.Stream[T]) {
	t.Helper()
	rep, err := in.ForEach(t.Context(), func(T) error { return nil }, rxcql.WithRowErrors(rxcql.SkipRows(10)))
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.Skipped)
}

func TestALineThatReadsLikeAnErrorOfTheDriverIsItsOwnError(t *testing.T) {
	skipsOne(t, source.NDJSON[pair](fileWith(t, "{\"a\":1}\n{\"a\":2,\"heartbeat failed\":true}\n{\"a\":3}\n")))
}

func TestALineOfAFileNamedLikeAnErrorOfTheDriverIsItsOwnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heartbeat failed.ndjson")
	require.NoError(t, os.WriteFile(path, []byte("1\nx\n2\n"), 0o600))
	skipsOne(t, source.NDJSON[int](path))
}

func TestAUsersErrorThatReadsLikeOneOfTheDriverIsTheRows(t *testing.T) {
	skipsOne(t, operators.Map(source.NDJSON[int](fileWith(t, "1\n2\n3\n")), func(n int) (int, error) {
		if n == 2 {
			return 0, errors.New("device 2: heartbeat failed")
		}
		return n, nil
	}))
}
