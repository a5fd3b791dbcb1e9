package parquet_test

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/source"
)

func TestAllThatIsWrongWithOptionsIsSaidAtOnce(t *testing.T) {
	_, err := rxcql.New(parquet.Read[rxcql.Row]("", parquet.PageRows(0), nil), parquet.WriteTo[rxcql.Row]("out", nil,
		parquet.RowGroupBytes(1), parquet.MaxFileBytes(1), parquet.Codec("lzo"), parquet.Overwrite(), parquet.Types()))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, says := range []string{
		"parquet.Read: ", "the path is empty", "PageRows(0)", "an option is nil", "give TypesOf or Types",
		"parquet.WriteTo: ", "RowGroupBytes(1)", "MaxFileBytes(1)", `Codec "lzo"`, "Types: no column", "the writer is nil", "use parquet.Write",
	} {
		require.ErrorContains(t, err, says)
	}
}

func TestATypeThatIsNoRowIsRefused(t *testing.T) {
	_, err := rxcql.New(parquet.Read[int]("x"), parquet.WriteTo[int]("out", io.Discard))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "an int has no columns")
	type loose struct {
		Any any `cql:"any"`
	}
	_, err = rxcql.New(source.Of(loose{}), parquet.WriteTo[loose]("out", io.Discard))
	require.ErrorContains(t, err, "give Types or TypesOf")
	type chain struct {
		Next *chain `cql:"next"`
	}
	_, err = rxcql.New(source.Of(chain{}), parquet.WriteTo[chain]("out", io.Discard))
	require.ErrorContains(t, err, "give Types or TypesOf")
}

func TestRowsThatParquetHasNoFormForAreNamedAndLeftOut(t *testing.T) {
	cols := columns(t, "k", "int", "v", "text", "d", "date")
	shared := rxcql.NewColumns(cols)
	rows := []rxcql.Row{
		rxcql.NewRow(shared, [][]byte{{0, 0, 0, 1}, []byte("\xff"), nil}), // no text
		rxcql.NewRow(shared, [][]byte{{}, nil, nil}),                      // an empty int
		rxcql.NewRow(shared, [][]byte{{1, 2}, nil, nil}),                  // no int
		rxcql.NewRow(shared, [][]byte{{0, 0, 0, 2}, {}, {0x80, 0, 0, 0}}), // good
	}
	for _, opts := range [][]parquet.WriteOption{nil, {parquet.Types(cols...)}} {
		path := filepath.Join(t.TempDir(), "rows.parquet")
		rep, err := run(t, source.Of(rows...), parquet.Write[rxcql.Row](path, opts...), rxcql.WithRowErrors(rxcql.SkipRows(10)))
		require.NoError(t, err)
		require.EqualValues(t, 3, rep.Skipped)
		require.EqualValues(t, 1, rep.Written)
		got := read[rxcql.Row](t, path, parquet.Types(cols...))
		require.Len(t, got, 1)
		require.Equal(t, []byte{}, got[0].Bytes(1), "empty text is not null")
	}
}

func TestARowOfOtherColumnsEndsTheRun(t *testing.T) {
	row := func(namesAndTypes ...string) rxcql.Row {
		cols := columns(t, namesAndTypes...)
		return rxcql.NewRow(rxcql.NewColumns(cols), make([][]byte, len(cols)))
	}
	first := row("k", "int", "v", "text", "t", "frozen<list<int>>")
	_, err := run(t, source.Of(first, row("k", "int", "v", "text", "t", "list<int>")), parquet.WriteTo[rxcql.Row]("out", io.Discard))
	require.NoError(t, err, "results do not say what is frozen")
	for says, other := range map[string]rxcql.Row{
		"has 2 columns, and the file has 3":   row("k", "int", "v", "text"),
		`column 1 of the row is "k" (bigint)`: row("k", "bigint", "v", "text", "t", "list<int>"),
		`column 2 of the row is "w" (text)`:   row("k", "int", "w", "text", "t", "list<int>"),
		"the row has no columns":              {},
	} {
		path := filepath.Join(t.TempDir(), "rows.parquet")
		_, err := run(t, source.Of(first, other), parquet.Write[rxcql.Row](path), rxcql.WithRowErrors(rxcql.SkipRows(10)))
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, says)
		require.Empty(t, filesIn(t, filepath.Dir(path)))
	}
}
