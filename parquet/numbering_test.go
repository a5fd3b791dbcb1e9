package parquet_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/source"
)

func TestOnlyFilesThatTheSinkNamesAreReplaced(t *testing.T) {
	folder := t.TempDir()
	others := []string{"part.parquet", "part-.parquet", "part-0.parquet", "part-01.parquet", "part-x.parquet", "part--1.parquet", "part-1.parquet.old"}
	for _, name := range append(others, "part-1.parquet", "part-12.parquet") {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600))
	}
	to := filepath.Join(folder, "part-%d.parquet")
	_, err := run(t, source.Of(spots(0, 3)...), parquet.Write[spot](to, parquet.MaxFileBytes(1<<20)))
	require.ErrorIs(t, err, os.ErrExist)
	_, err = run(t, source.Of(spots(0, 3)...), parquet.Write[spot](to, parquet.MaxFileBytes(1<<20), parquet.Overwrite()))
	require.NoError(t, err)
	require.ElementsMatch(t, append(others, "part-1.parquet"), filesIn(t, folder))
	require.Equal(t, spots(0, 3), read[spot](t, filepath.Join(folder, "part-1.parquet")))
}
