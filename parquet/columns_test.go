package parquet_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/source"
)

func TestUndecodedRowsHaveTheColumnsOfTheirFile(t *testing.T) {
	folder := t.TempDir()
	given := columns(t, "a", "int", "b", "text", "c", "text")
	for name, of := range map[string][]rxcql.Column{"1.parquet": given[:1], "2.parquet": given, "3.parquet": {given[0], given[2]}} {
		cells := make([][]byte, len(of))
		cells[0] = []byte{0, 0, 0, name[0]}
		for i := range cells[1:] {
			cells[i+1] = []byte(of[i+1].Name)
		}
		_, err := run(t, source.Of(rxcql.NewRow(rxcql.NewColumns(of), cells)), parquet.Write[rxcql.Row](filepath.Join(folder, name)))
		require.NoError(t, err)
	}
	for _, opts := range [][]parquet.ReadOption{{parquet.Types(given...)}, {parquet.Types(given...), parquet.IgnoreUnknown()}} {
		rows, err := parquet.Read[rxcql.Row](folder, opts...).Collect(context.Background())
		require.NoError(t, err)
		got := map[byte]map[string]string{}
		for _, row := range rows {
			values := map[string]string{}
			for i, c := range row.Columns().List()[1:] {
				values[c.Name] = string(row.Bytes(i + 1))
			}
			got[row.Bytes(0)[3]] = values
		}
		require.Equal(t, map[byte]map[string]string{'1': {}, '2': {"b": "b", "c": "c"}, '3': {"c": "c"}}, got)
	}
}
