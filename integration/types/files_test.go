package types_test

import (
	"path/filepath"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// fileOf is a file as a sink and as a source.
type fileOf[T any] struct {
	to   rxcql.Sink[T]
	from rxcql.Stream[T]
}

const null = "\\N"

func csvOf[T any](path string, session *gocql.Session, table string) fileOf[T] {
	opts := []source.CSVOption{source.NullText(null)}
	if _, isRow := any(*new(T)).(rxcql.Row); isRow {
		opts = append(opts, source.TypesOf(session, table))
	}
	return fileOf[T]{sink.CSV[T](path, sink.NullText(null)), source.CSV[T](path, opts...)}
}

func ndjsonOf[T any](path string, session *gocql.Session, table string) fileOf[T] {
	var opts []source.NDJSONOption
	if _, isRow := any(*new(T)).(rxcql.Row); isRow {
		opts = append(opts, source.TypesOf(session, table))
	}
	return fileOf[T]{sink.NDJSON[T](path), source.NDJSON[T](path, opts...)}
}

func all[T any](t *testing.T, from rxcql.Stream[T], to rxcql.Sink[T]) {
	t.Helper()
	p, err := rxcql.New(from, to)
	require.NoError(t, err)
	require.NoError(t, p.Check(t.Context()))
	report, err := p.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.Equal(t, report.ReadRows, report.Written)
}

// What a file sink writes the file sources read, undecoded or as structs, however
// it was written: the table that comes out is equal byte for byte.
func TestEveryTypeGoesThroughFilesUnchanged(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	names := []string{"original"}
	for _, format := range []string{"csv", "ndjson"} {
		for _, how := range []string{"_row_row", "_row_struct", "_struct_row", "_struct_struct"} {
			names = append(names, format+how)
		}
	}
	createTables(t, session, ks, names...)
	original := ks + ".original"
	before := contents(t, session, original)
	for _, format := range []string{"csv", "ndjson"} {
		path := filepath.Join(t.TempDir(), "rows")
		rows, structs := csvOf[rxcql.Row](path+"_row", session, original), csvOf[everything](path+"_struct", session, original)
		fromRow, fromStruct := csvOf[everything](path+"_row", session, original), csvOf[rxcql.Row](path+"_struct", session, original)
		if format == "ndjson" {
			rows, structs = ndjsonOf[rxcql.Row](path+"_row", session, original), ndjsonOf[everything](path+"_struct", session, original)
			fromRow, fromStruct = ndjsonOf[everything](path+"_row", session, original), ndjsonOf[rxcql.Row](path+"_struct", session, original)
		}
		all(t, source.Table[rxcql.Row](session, original), rows.to)
		all(t, source.Table[everything](session, original), structs.to)

		all(t, rows.from, sink.Table[rxcql.Row](session, ks+"."+format+"_row_row"))
		all(t, fromRow.from, sink.Table[everything](session, ks+"."+format+"_row_struct"))
		all(t, fromStruct.from, sink.Table[rxcql.Row](session, ks+"."+format+"_struct_row"))
		all(t, structs.from, sink.Table[everything](session, ks+"."+format+"_struct_struct"))
		for _, how := range []string{"_row_row", "_row_struct", "_struct_row", "_struct_struct"} {
			require.Equal(t, before, contents(t, session, ks+"."+format+how), format+how)
		}
	}
}
