package transfer_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
	"github.com/rxcql/rxcql/transfer/parquetfiles"
)

// parquetRow is a row of the table that goes through Parquet files.
type parquetRow struct {
	K    int64             `cql:"k"`
	Name string            `cql:"Name"`
	Tags map[string]string `cql:"tags"`
	Note []byte            `cql:"note"`
}

func TestTransferUnloadsToParquetAndLoadsItEqual(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, table := range []string{"original", "copy"} {
		require.NoError(t, session.Query(fmt.Sprintf(
			`CREATE TABLE %s.%s (k bigint PRIMARY KEY, "Name" text, tags map<text, text>, note blob)`, ks, table)).Exec())
	}
	want := map[int64]parquetRow{}
	var rows []parquetRow
	for i := range int64(20_000) {
		row := parquetRow{K: i, Name: fmt.Sprintf("näme %d", i), Note: make([]byte, 200)}
		for j := range row.Note {
			row.Note[j] = byte(i * int64(j*j+7))
		}
		if i%3 == 0 {
			row.Tags = map[string]string{"a": "b", "n": fmt.Sprint(i)}
		}
		rows = append(rows, row)
		want[i] = row
	}
	p, err := rxcql.New(source.Of(rows...), sink.Table[parquetRow](session, ks+".original"))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)

	folder := t.TempDir()
	format := parquetfiles.Format(parquet.RowGroupBytes(64<<10), parquet.Uncompressed)
	unload, err := transfer.Unload(transfer.Table{Session: session, Name: ks + ".original"}, folder, transfer.WithFormat(format),
		transfer.FileBytes(1<<20))
	require.NoError(t, err)
	_, err = unload.Run(t.Context())
	require.NoError(t, err)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Greater(t, len(files), 2)

	load, err := transfer.Load(folder, transfer.Table{Session: session, Name: ks + ".copy"}, transfer.WithFormat(format))
	require.NoError(t, err)
	_, err = load.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, rowsOf(t, session, ks+".copy"))
}

func rowsOf(t *testing.T, session *gocql.Session, table string) map[int64]parquetRow {
	t.Helper()
	found := map[int64]parquetRow{}
	for row, err := range source.Table[parquetRow](session, table).All(t.Context()) {
		require.NoError(t, err)
		found[row.K] = row
	}
	return found
}
