//go:build unix

package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestASinkAndLettersDoNotShareAFile(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintln(&b, i)
	}
	b.WriteString("bad\n")
	in := fileWith(t, b.String())
	for _, before := range []string{"", "1\n2\n"} {
		out := fileWith(t, before)
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(out, link))
		for _, letters := range []string{out, link} {
			p, err := rxcql.New(source.NDJSON[int](in), sink.NDJSON[int](out, sink.Overwrite()),
				rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(letters))))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.ErrorContains(t, err, out+": another run writes this file, or another part of this one does")
			require.Zero(t, rep.ReadRows)
			require.Equal(t, before, content(t, out))
		}
	}
}

func TestAFileThatTakesLettersIsNotReadAsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	w, err := deadletter.NDJSON(path).Open(t.Context())
	require.NoError(t, err)
	_, err = source.NDJSON[any](path).Count(t.Context())
	require.ErrorContains(t, err, path+": another run writes this file")
	require.NoError(t, w.Close())
	_, err = source.NDJSON[any](path).Count(t.Context())
	require.NoError(t, err)
}

func TestLettersComeFromAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters")
	_, err := lettersTo(t, fileWith(t, "x\ny\nz\n"), path)
	require.NoError(t, err)
	data := content(t, path)
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(fifo, []byte(data), 0) }()
	var rows []string
	for l, err := range deadletter.Read[string](fifo) {
		require.NoError(t, err)
		rows = append(rows, l.Row)
	}
	require.NoError(t, <-written)
	require.Equal(t, []string{"x", "y", "z"}, rows)
}
