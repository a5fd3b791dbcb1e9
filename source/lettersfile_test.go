package source_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/source"
)

// lettersTo reads numbers from a file, with the lines that are none as letters.
func lettersTo(t *testing.T, in, letters string, opts ...source.NDJSONOption) (rxcql.Report, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	return source.NDJSON[int](in, opts...).ForEach(ctx, func(int) error { return nil },
		rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(letters))))
}

func TestLettersDoNotGoIntoTheFileThatIsRead(t *testing.T) {
	const text = "1\nbad\n2\n3" // the last row has no end, as what is left of a letter has none
	path := fileWith(t, text)
	link := filepath.Join(filepath.Dir(path), "link")
	require.NoError(t, os.Link(path, link))
	for _, to := range []string{path, link} {
		rep, err := lettersTo(t, path, to)
		require.ErrorContains(t, err, to+" is read by this run")
		require.Zero(t, rep.ReadRows)
		require.Equal(t, text, content(t, path))
	}
}

func TestReadingAFileThatTakesTheLettersDoesNotGoOnForEver(t *testing.T) {
	text := strings.Repeat("bad\n", 2000)
	path := fileWith(t, text)
	rep, err := lettersTo(t, path, path, source.PageRows(100))
	require.ErrorContains(t, err, "is read by this run")
	require.LessOrEqual(t, rep.ReadRows, int64(2000))
	require.Equal(t, text, content(t, path))
}

func TestLettersAreNotAddedBehindALineThatIsLeftOfNoLetter(t *testing.T) {
	for _, text := range []string{"3", "1\n2\n3", "1\n{\"v\":2", "1\n{\"v\":1,\"runs\":1}", strings.Repeat("x", 200_000)} {
		path := fileWith(t, text)
		rep, err := lettersTo(t, fileWith(t, "1\nbad\n"), path)
		require.ErrorContains(t, err, path+" is not a file of letters")
		require.Zero(t, rep.ReadRows)
		require.Equal(t, text, content(t, path))
	}
	for _, left := range []string{"", "{", `{"v":1,"run":"2026`, `{"v":1,` + "\x00\x00", "\x00\x00\x00"} {
		path := fileWith(t, "1\n"+left)
		_, err := lettersTo(t, fileWith(t, "bad\n"), path)
		require.NoError(t, err, "%q", left)
		require.True(t, strings.HasPrefix(content(t, path), "1\n"+`{"v":1,"run":"`), "%q", left)
	}
}
