//go:build unix

package deadletter_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestLettersOfAFileThatIsNoLongerThereAreAnError(t *testing.T) {
	for name, leave := range map[string]func(path string) error{
		"removed": os.Remove,
		"renamed": func(path string) error { return os.Rename(path, path+".1") },
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".1", nil, 0o600), os.Rename(path+".1", path))
		},
	} {
		path := file(t)
		rows := source.Seq(func(yield func(int, error) bool) {
			for i := range 2000 {
				if i == 1000 {
					require.NoError(t, leave(path))
				}
				if !yield(i, nil) {
					return
				}
			}
		})
		bad := operators.Map(rows, func(n int) (int, error) { return n, errors.New("bad") })
		rep, err := bad.ForEach(t.Context(), func(int) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
		require.ErrorContains(t, err, path+" was removed or replaced while it was written", name)
		require.LessOrEqual(t, rep.DeadLettered, int64(1000), name)
		require.False(t, rep.Complete, name)
	}
}

func TestTwoRunsCannotWriteToOneFileOfTwoNames(t *testing.T) {
	dir := t.TempDir()
	path, link, hard := filepath.Join(dir, "letters"), filepath.Join(dir, "link"), filepath.Join(dir, "hard")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, os.Link(path, hard))
	w, err := deadletter.NDJSON(path).Open(t.Context())
	require.NoError(t, err)
	for _, other := range []string{link, hard} {
		_, err = deadletter.NDJSON(other).Open(t.Context())
		require.ErrorContains(t, err, other+": another run writes this file")
	}
	require.NoError(t, w.Write(t.Context(), []rxcql.Letter{letter(1, "a"), letter(2, "b")}))
	require.NoError(t, w.Close())
	write(t, link, letter(3, "c"))
	letters, errs := readAll[string](path)
	require.Empty(t, errs)
	require.Equal(t, []string{"a", "b", "c"}, rowsOf(letters))
}
