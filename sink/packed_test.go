package sink_test

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

var packings = map[string]sink.FileOption{"gzip": sink.Gzip(), "zstd": sink.Zstd()}

// unpacked is the text of a compressed file.
func unpacked(t *testing.T, kind, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return unpack(t, kind, data)
}

func unpack(t *testing.T, kind string, data []byte) string {
	t.Helper()
	var text []byte
	if len(data) == 0 {
		return ""
	}
	if kind == "gzip" {
		r, err := gzip.NewReader(bytes.NewReader(data))
		require.NoError(t, err)
		text, err = io.ReadAll(r)
		require.NoError(t, err)
		return string(text)
	}
	r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	defer r.Close()
	text, err = io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

func TestACompressedFileHasTheSameText(t *testing.T) {
	for kind, option := range packings {
		path := outPath(t)
		_, err := run(t, partitionsOf(20_000), sink.CSV[event](path, option))
		require.NoError(t, err)
		plain := outPath(t)
		_, err = run(t, partitionsOf(20_000), sink.CSV[event](plain))
		require.NoError(t, err)
		require.Equal(t, content(t, plain), unpacked(t, kind, path))
		require.Less(t, len(content(t, path)), len(content(t, plain))/2)

		_, err = run(t, sequence[event](), sink.CSV[event](path, option, sink.Overwrite()))
		require.NoError(t, err)
		require.Equal(t, "p,c,v\n", unpacked(t, kind, path))
	}
}

func TestAJobGoesOnInItsCompressedFileWithEachRowOnce(t *testing.T) {
	for kind, option := range packings {
		t.Run(kind, func(t *testing.T) {
			path, j := outPath(t), newLongJob(1000)
			to := func() rxcql.Sink[event] { return sink.CSV[event](path, option) }
			j.stop = 301
			_, err := j.run(t, to())
			require.NoError(t, err)
			require.Equal(t, each(310), unpacked(t, kind, path))
			saved := content(t, path)

			j.seen, j.stop, j.fail = 0, 0, 205 // nothing is saved
			_, err = j.run(t, to())
			require.ErrorIs(t, err, errBroken)
			require.Equal(t, saved, content(t, path)[:len(saved)])
			require.Equal(t, each(510), unpacked(t, kind, path), "whole pages")

			require.NoError(t, os.WriteFile(path, []byte(content(t, path)+"half a member"), 0o600))
			j.fail = 0
			rep, err := j.run(t, to())
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.Equal(t, each(1000), unpacked(t, kind, path))
		})
	}
}

func TestAJobDoesNotGoOnWithAnotherCompression(t *testing.T) {
	path, j := outPath(t), newLongJob(1000)
	j.stop = 301
	_, err := j.run(t, sink.CSV[event](path, sink.Gzip()))
	require.NoError(t, err)
	before := content(t, path)
	for _, other := range []rxcql.Sink[event]{sink.CSV[event](path), sink.CSV[event](path, sink.Zstd())} {
		_, err = j.run(t, other)
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, "compression")
		require.Equal(t, before, content(t, path))
	}
	_, err = rxcql.New(sequence(1), sink.NDJSON[int](path, sink.Zstd(), sink.Gzip()))
	require.ErrorContains(t, err, "give one of them")
}
