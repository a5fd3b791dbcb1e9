package sink_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

func TestWritersGetWhatFilesGet(t *testing.T) {
	path := outPath(t)
	var out bytes.Buffer
	_, err := run(t, undecoded(t), sink.CSV[rxcql.Row](path))
	require.NoError(t, err)
	rep, err := run(t, undecoded(t), sink.CSVWriter[rxcql.Row]("stdout", &out))
	require.NoError(t, err)
	require.Equal(t, content(t, path), out.String())
	require.True(t, rep.Complete)
	require.EqualValues(t, 3, rep.Written)
	require.Equal(t, "CSV stdout", rep.Stages[len(rep.Stages)-1].Name)

	out.Reset()
	_, err = run(t, sequence(1.5, math.NaN(), 2.5), sink.NDJSONWriter[float64]("x", &out), rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.NoError(t, err)
	require.Equal(t, "1.5\n2.5\n", out.String())

	out.Reset()
	_, err = run(t, ints(3), sink.JSONArrayWriter[int]("x", &out))
	require.NoError(t, err)
	require.Equal(t, "[\n0,\n1,\n2\n]\n", out.String())

	for kind, option := range packings {
		out.Reset()
		_, err = run(t, ints(10_000), sink.NDJSONWriter[int]("x", &out, option))
		require.NoError(t, err)
		require.Contains(t, unpack(t, kind, out.Bytes()), "\n9999\n")
	}
}

// broken takes so many bytes.
type broken struct{ left int }

var errPipe = errors.New("broken pipe")

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return b.left, errPipe
	}
	b.left -= len(p)
	return len(p), nil
}

func TestAWriterThatFailsEndsTheRunAndSettlesNothingMore(t *testing.T) {
	for _, opts := range [][]sink.NDJSONOption{nil, {sink.Gzip()}} {
		rep, err := run(t, ints(500_000), sink.NDJSONWriter[int]("pipe", &broken{left: 10_000}, opts...))
		require.ErrorIs(t, err, errPipe)
		require.ErrorContains(t, err, "stage NDJSON pipe")
		require.False(t, rep.Complete)
		require.Less(t, rep.PagesSettled, rep.Pages)
		require.Zero(t, rep.BytesInFlight)
	}
}

func TestAWriterIsRefusedWhereAFileIsNeeded(t *testing.T) {
	_, err := rxcql.New(ints(1), sink.CSVWriter[int]("", nil, sink.Overwrite(), sink.MaxBytes(1<<20)))
	for _, want := range []string{"the name is empty", "the writer is nil", "Overwrite", "MaxBytes and Parallel", "sink.CSVWriter"} {
		require.ErrorContains(t, err, want)
	}
	_, err = rxcql.New(newLongJob(1).parts.Stream(), sink.NDJSONWriter[event]("x", &bytes.Buffer{}),
		rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "write to a file, by its path")
}
