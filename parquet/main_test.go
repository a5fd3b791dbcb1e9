package parquet_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/source"
)

func TestMain(m *testing.M) { leak.Main(m) }

// write writes rows into a new file and returns its path.
func write[T any](t testing.TB, rows []T, opts ...parquet.WriteOption) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.parquet")
	_, err := run(t, source.Of(rows...), parquet.Write[T](path, opts...))
	require.NoError(t, err)
	return path
}

func run[T any](t testing.TB, in rxcql.Stream[T], out rxcql.Sink[T], opts ...rxcql.Option) (rxcql.Report, error) {
	t.Helper()
	p, err := rxcql.New(in, out, opts...)
	require.NoError(t, err)
	return p.Run(context.Background())
}

// read reads all rows of a file. Rows of one row group are in their order.
func read[T any](t testing.TB, path string, opts ...parquet.ReadOption) []T {
	t.Helper()
	rows, err := parquet.Read[T](path, opts...).Collect(context.Background())
	require.NoError(t, err)
	return rows
}

// columns parses columns such as "a int".
func columns(t testing.TB, namesAndTypes ...string) (cols []rxcql.Column) {
	t.Helper()
	for i := 0; i < len(namesAndTypes); i += 2 {
		cols = append(cols, rxcql.Column{Name: namesAndTypes[i], Type: typeOf(t, namesAndTypes[i+1])})
	}
	return cols
}

// typeOf parses a type, in which addr is a user-defined type.
func typeOf(t testing.TB, cql string) *codec.Type {
	t.Helper()
	typ, err := codec.Parse(cql, func(string) (*codec.Type, error) { return addr(), nil })
	require.NoError(t, err, cql)
	return typ
}

func addr() *codec.Type {
	text := &codec.Type{Kind: codec.Text}
	return &codec.Type{Kind: codec.UDT, Keyspace: "ks", Name: "addr", Fields: []codec.Field{
		{Name: "street", Type: text}, {Name: "Zip", Type: &codec.Type{Kind: codec.Int}},
		{Name: "tags", Type: &codec.Type{Kind: codec.Set, Elems: []*codec.Type{text}, Frozen: true}},
	}}
}
