package parquetfiles_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
	"github.com/rxcql/rxcql/transfer/parquetfiles"
)

func rowsOf(n int) ([]rxcql.Column, []rxcql.Row) {
	columns := []rxcql.Column{{Name: "k", Type: &codec.Type{Kind: codec.Int}}, {Name: "v", Type: &codec.Type{Kind: codec.Text}}}
	shared := rxcql.NewColumns(columns)
	var rows []rxcql.Row
	for i := range n {
		rows = append(rows, rxcql.NewRow(shared, [][]byte{binary.BigEndian.AppendUint32(nil, uint32(i)), []byte("text")}))
	}
	return columns, rows
}

func run(t *testing.T, rows []rxcql.Row, to rxcql.Sink[rxcql.Row]) {
	t.Helper()
	p, err := rxcql.New(source.Of(rows...), to)
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	require.NoError(t, err)
}

func TestEachKindOfOutputIsReadAgain(t *testing.T) {
	columns, rows := rowsOf(1000)
	format := parquetfiles.Format()
	folder := t.TempDir()
	for name, out := range map[string]transfer.Output{
		"one.parquet":      {Path: "one.parquet"},
		"zstd.parquet":     {Path: "zstd.parquet.zst", Compression: transfer.Zstd},
		"part-*.parquet":   {Path: "part-%05d.parquet", Parallel: 4, MaxBytes: 4096},
		"single-*.parquet": {Path: "single-%d.parquet.gz", Parallel: 1, Compression: transfer.Gzip},
	} {
		out.Path, out.Columns = filepath.Join(folder, out.Path), columns
		run(t, rows, format.Write(out))
		out.Overwrite = true
		run(t, rows, format.Write(out))
		got, err := format.Read(transfer.Input{Path: filepath.Join(folder, name), Columns: columns}).Collect(context.Background())
		require.NoError(t, err, name)
		require.Equal(t, len(rows), len(got), name)
		for i, row := range got {
			require.Equal(t, rows[i].Bytes(0), row.Bytes(0), name)
		}
	}
	var piped bytes.Buffer
	run(t, rows, format.Write(transfer.Output{Path: "standard output", Writer: &piped, Columns: columns}))
	require.Equal(t, "PAR1", piped.String()[:4])
}

func TestAStreamIsRefusedBeforeItIsRead(t *testing.T) {
	columns, _ := rowsOf(0)
	in := transfer.Input{Path: "standard input", Columns: columns, Open: func(context.Context) (io.ReadCloser, error) {
		t.Error("it was opened")
		return nil, io.EOF
	}}
	format := parquetfiles.Format()
	_, err := rxcql.New(format.Read(in), format.Write(transfer.Output{Path: "x", Writer: io.Discard}))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "save it as a file")
}
