package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/source"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func zstded(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	defer w.Close()
	return string(w.EncodeAll([]byte(text), nil))
}

func numbersText(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i)
	}
	return b.String()
}

func reader(text string) source.Open {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

func TestCompressedFilesAreReadAsTheirTextIs(t *testing.T) {
	text := numbersText(3000)
	half := len(numbersText(1500))
	for name, packed := range map[string]string{
		"gzip": gzipped(t, text), "zstd": zstded(t, text),
		"several members": gzipped(t, text[:half]) + gzipped(t, "") + gzipped(t, text[half:]),
		"several frames":  zstded(t, text[:half]) + zstded(t, text[half:]),
	} {
		for _, in := range []rxcql.Stream[int]{source.NDJSON[int](fileWith(t, packed)), source.NDJSONReader[int]("pipe", reader(packed))} {
			got, err := in.Collect(t.Context())
			require.NoError(t, err, name)
			require.Len(t, got, 3000, name)
			for i, n := range got {
				require.Equal(t, i, n)
			}
		}
	}
}

func TestACompressedFileThatIsCutOffOrDamagedIsAnErrorUnderEveryPolicy(t *testing.T) {
	for name, packed := range map[string]string{"gzip": gzipped(t, numbersText(3000)), "zstd": zstded(t, numbersText(3000))} {
		damaged := []byte(packed)
		damaged[len(damaged)/2] ^= 0x55
		for what, text := range map[string]string{"cut": packed[:len(packed)-5], "damaged": string(damaged), "headless": packed[:4]} {
			_, err := source.NDJSON[int](fileWith(t, text)).Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipPercent(100, 0)))
			require.ErrorContains(t, err, "cannot be read", name+" "+what)
		}
	}
}

// A connection that is lost may say so by an error that wraps io.EOF.
func TestAReaderThatFailsIsNotTakenForTheEnd(t *testing.T) {
	for _, lost := range []error{fmt.Errorf("connection reset: %w", io.EOF), io.ErrUnexpectedEOF, errors.New("broken")} {
		open := func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(numbersText(3000)+"3"), broken{lost})), nil
		}
		var seen []int
		_, err := source.NDJSONReader[int]("pipe", open).ForEach(t.Context(), func(n int) error { seen = append(seen, n); return nil },
			rxcql.WithRowErrors(rxcql.SkipRows(100)))
		require.ErrorContains(t, err, "pipe cannot be read", lost.Error())
		require.Len(t, seen, 3000, "the rows before, and not the 3, which may be cut off")
	}
}

type broken struct{ err error }

func (f broken) Read([]byte) (int, error) { return 0, f.err }

func TestAReaderIsOpenedByARunAndNotByCheckAndIsClosed(t *testing.T) {
	opened, closed := 0, 0
	open := func(context.Context) (io.ReadCloser, error) {
		opened++
		return closing{strings.NewReader("{\"id\":1,\"text\":\"x\"}\n"), &closed}, nil
	}
	p, err := rxcql.New(source.NDJSONReader[note]("pipe", open), discard[note]())
	require.NoError(t, err)
	require.NoError(t, p.Check(t.Context()))
	require.Zero(t, opened)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.ReadRows)
	require.Equal(t, []int{1, 1}, []int{opened, closed})

	once := source.NDJSONReader[int]("standard input", source.Once(strings.NewReader("1\n2\n")))
	n, err := once.Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	_, err = once.Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSingleRun)
	_, err = source.NDJSONReader[int]("", nil).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
}

type closing struct {
	io.Reader
	n *int
}

func (c closing) Close() error { *c.n++; return nil }

func TestAJobGoesOnInWhatIsCompressedOrComesFromAReader(t *testing.T) {
	text := numbersText(3000)
	for name, of := range map[string]func(text string) rxcql.Stream[int]{
		"gzip": func(text string) rxcql.Stream[int] {
			path := filepath.Join(t.TempDir(), "in.gz")
			require.NoError(t, os.WriteFile(path, []byte(gzipped(t, text)), 0o600))
			return source.NDJSON[int](path, source.PageRows(100))
		},
		"reader": func(text string) rxcql.Stream[int] {
			return source.NDJSONReader[int]("pipe", reader(text), source.PageRows(100))
		},
		"array": func(text string) rxcql.Stream[int] {
			array := "[" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", " ,\n") + "\n]\n"
			return source.JSONArrayReader[int]("pipe", reader(array), source.PageRows(100))
		},
	} {
		store := &jobtest.Store{}
		var got []int
		err := copied(t, of(text), store, &got, 1550)
		require.Error(t, err, name)
		require.NoError(t, copied(t, of(text), store, &got, -1), name)
		seen := map[int]int{}
		for _, n := range got {
			seen[n]++
		}
		require.Len(t, seen, 3000, name)
		require.Less(t, len(got), 3000+400, "%s: what was settled is not read again", name)

		store, got = &jobtest.Store{}, nil
		require.Error(t, copied(t, of(text), store, &got, 1550), name)
		changed := strings.Replace(text, "\n900\n", "\n901\n", 1)
		require.ErrorIs(t, copied(t, of(changed), store, &got, -1), rxcql.ErrCheckpointForeign, name)
		require.ErrorIs(t, copied(t, of(text[:500]), store, &got, -1), rxcql.ErrCheckpointForeign, name)
	}
}
