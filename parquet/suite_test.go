package parquet_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

// spot is a row of the suites.
type spot struct {
	N    int64  `cql:"n"`
	Text string `cql:"text"`
}

// fileOf writes rows that are numbered from 0, in row groups of a few rows.
func fileOf(t testing.TB, rows int) string {
	path := filepath.Join(t.TempDir(), "spots.parquet")
	var all []spot
	for n := range rows {
		all = append(all, spot{int64(n), string(make([]byte, 20<<10))}) // so that 64 KiB are a row group
	}
	_, err := run(t, source.Of(all...), parquet.Write[spot](path, parquet.RowGroupBytes(64<<10)))
	require.NoError(t, err)
	return path
}

func TestReadKeepsTheRulesOfSources(t *testing.T) {
	rxcqltest.TestSource(t, func(t testing.TB) rxcqltest.SourcePlace[spot] {
		paths := map[int]string{}
		return rxcqltest.SourcePlace[spot]{
			Stream: func(rows int) rxcql.Stream[spot] {
				if paths[rows] == "" {
					paths[rows] = fileOf(t, rows)
				}
				return parquet.Read[spot](paths[rows], parquet.PageRows(2))
			},
			Number: func(s spot) int { return int(s.N) },
			Fails: func(rows int) (rxcql.Stream[spot], error) {
				return parquet.Read[spot](brokenFile(t, rows), parquet.PageRows(1)), nil
			},
		}
	})
}

// brokenFile writes a file of one row more, which is no spot.
func brokenFile(t testing.TB, rows int) string {
	path := filepath.Join(t.TempDir(), "broken.parquet")
	type text struct {
		N    int64  `cql:"n"`
		Text []byte `cql:"text"`
	}
	var all []text
	for n := range rows {
		all = append(all, text{int64(n), []byte("text")})
	}
	all = append(all, text{int64(rows), []byte{0xff}})
	_, err := run(t, source.Of(all...), parquet.Write[text](path))
	require.NoError(t, err)
	return path
}

// blot is a row whose text may be none.
type blot struct {
	N    int64  `cql:"n"`
	Text []byte `cql:"text"`
}

func TestWriteKeepsTheRulesOfSinks(t *testing.T) {
	rxcqltest.TestSink(t, func(t testing.TB) rxcqltest.SinkPlace[blot] {
		return sinkPlace(t, filepath.Join(t.TempDir(), "spots.parquet"), "spots.parquet", parquet.Overwrite())
	})
}

func TestNumberedFilesKeepTheRulesOfSinks(t *testing.T) {
	rxcqltest.TestSink(t, func(t testing.TB) rxcqltest.SinkPlace[blot] {
		return sinkPlace(t, filepath.Join(t.TempDir(), "spots.parquet"), "spots-*.parquet",
			parquet.Overwrite(), parquet.MaxFileBytes(1<<20), parquet.RowGroupBytes(64<<10))
	})
}

func sinkPlace(t testing.TB, path, pattern string, opts ...parquet.WriteOption) rxcqltest.SinkPlace[blot] {
	opts = append(opts, parquet.Types(columns(t, "n", "bigint", "text", "text")...))
	return rxcqltest.SinkPlace[blot]{
		Sink: func() rxcql.Sink[blot] { return parquet.Write[blot](path, opts...) },
		Row:  func(n int) blot { return blot{int64(n), []byte("text")} },
		Bad:  func(n int) blot { return blot{int64(n), []byte{0xff}} },
		Rows: func() (rows []int) {
			found, err := filepath.Glob(filepath.Join(filepath.Dir(path), pattern))
			if err != nil {
				t.Error(err)
			}
			for _, name := range found {
				got, err := parquet.Read[spot](name).Collect(context.Background())
				if err != nil && !os.IsNotExist(err) {
					t.Error(err)
				}
				for _, row := range got {
					rows = append(rows, int(row.N))
				}
			}
			return rows
		},
	}
}
