package types_test

import (
	"path/filepath"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func parquetOf[T any](path string, session *gocql.Session, table string) fileOf[T] {
	types := parquet.TypesOf(session, table)
	return fileOf[T]{parquet.Write[T](path, types), parquet.Read[T](path, types)}
}

// The table that comes out of Parquet files is equal byte for byte, however they were written.
func TestEveryTypeGoesThroughParquetUnchanged(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	createTables(t, session, ks, "original", "row_row", "row_struct", "struct_row", "struct_struct")
	original := ks + ".original"
	before := contents(t, session, original)
	path := filepath.Join(t.TempDir(), "rows")
	rows, structs := parquetOf[rxcql.Row](path+"_row", session, original), parquetOf[everything](path+"_struct", session, original)
	fromRow, fromStruct := parquetOf[everything](path+"_row", session, original), parquetOf[rxcql.Row](path+"_struct", session, original)
	all(t, source.Table[rxcql.Row](session, original), rows.to)
	all(t, source.Table[everything](session, original), structs.to)

	all(t, rows.from, sink.Table[rxcql.Row](session, ks+".row_row"))
	all(t, fromRow.from, sink.Table[everything](session, ks+".row_struct"))
	all(t, fromStruct.from, sink.Table[rxcql.Row](session, ks+".struct_row"))
	all(t, structs.from, sink.Table[everything](session, ks+".struct_struct"))
	for _, how := range []string{"row_row", "row_struct", "struct_row", "struct_struct"} {
		require.Equal(t, before, contents(t, session, ks+"."+how), how)
	}
}
