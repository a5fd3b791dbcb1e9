package transfer_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/transfer"
)

func TestUnloadRefusesACompressionThatTheNameContradicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := countTable(t, 1)
		from := transfer.Table{Session: server.Session(""), Name: "ks.t"}
		for name, how := range map[string]transfer.Compression{
			"t.csv.gz": transfer.NoCompression, "t-%d.ndjson.zst": transfer.NoCompression, "t.json.gz": transfer.Zstd, "t.csv.zst": transfer.Gzip,
		} {
			_, err := transfer.Unload(from, name, transfer.Compress(how))
			require.ErrorIs(t, err, rxcql.ErrConfig, name)
			require.ErrorContains(t, err, "Compress: the name "+name+" says another compression")
		}
		for name, how := range map[string]transfer.Compression{
			"t.csv": transfer.Gzip, "t.csv.gz": transfer.Gzip, "t-%d.json.zst": transfer.Zstd, "folder": transfer.Zstd, "u.csv": transfer.NoCompression,
		} {
			_, err := transfer.Unload(from, name, transfer.Compress(how))
			require.NoError(t, err, name)
		}
	})
}
