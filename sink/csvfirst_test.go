package sink_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// back writes rows and reads them again.
func back(t *testing.T, d dialect.Dialect, cols *rxcql.Columns, rows ...rxcql.Row) []rxcql.Row {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.csv")
	_, err := run(t, source.Of(rows...), sink.CSV[rxcql.Row](path, sink.Dialect(d)))
	require.NoError(t, err)
	got, err := source.CSV[rxcql.Row](path, source.Dialect(d), source.Types(cols.List()...)).Collect(t.Context())
	require.NoError(t, err)
	return got
}

// Files of other kinds are known by their first bytes.
func TestAFileMayBeginWithAnyText(t *testing.T) {
	cols := columnsOf(t, "a", "text", "b", "text")
	for _, name := range append(dialect.Names(), "latin-1") {
		d, _ := dialect.Preset(name)
		if name == "latin-1" {
			d = dialect.RFC4180()
			d.Encoding, d.Null = dialect.Latin1, "ø"
		}
		for _, header := range []bool{true, false} {
			d.Header = header
			for _, text := range []string{
				"\ufeffx", "BZh91AY", "PAR1", "PK\x03\x04x", "\x1f\u008b\b", "(\u00b5/\u00fd", "\u00fd7zXZ\x00", "\u00ff\u00fe", "\u00fe\u00ff", "\u00ef\u00bb\u00bf", "\x00a", "a\x00", "\x00",
			} {
				if name == "latin-1" && text[0] == 0xef {
					continue // no character of ISO 8859-1
				}
				for _, cells := range [][][]byte{{[]byte(text), nil}, {nil, []byte(text)}, {[]byte("x"), []byte(text)}} {
					got := back(t, d, cols, rxcql.NewRow(cols, cells))
					require.Len(t, got, 1, "%s: %q", name, text)
					require.Equal(t, cells, [][]byte{got[0].Bytes(0), got[0].Bytes(1)}, "%s: %q", name, text)
				}
			}
		}
	}
}

func TestATableOfOneColumnIsWrittenAsCSV(t *testing.T) {
	cols := columnsOf(t, "a", "text")
	for _, name := range dialect.Names() {
		d, _ := dialect.Preset(name)
		rows := []rxcql.Row{rxcql.NewRow(cols, [][]byte{[]byte("x")}), rxcql.NewRow(cols, [][]byte{{}}), rxcql.NewRow(cols, [][]byte{[]byte("y")})}
		got := back(t, d, cols, rows...)
		require.Len(t, got, 3, name)
		for i := range rows {
			require.Equal(t, rows[i].Bytes(0), got[i].Bytes(0), name)
		}
	}
}

func TestAJobInADialectWithAZoneGoesOnInAnotherProcess(t *testing.T) {
	cols := columnsOf(t, "a", "text")
	parts := jobtest.Parts[rxcql.Row]{PageRows: 10, Rows: [][]rxcql.Row{nil}}
	for range 100 {
		parts.Rows[0] = append(parts.Rows[0], rxcql.NewRow(cols, [][]byte{[]byte("x")}))
	}
	var store jobtest.Store
	path, seen := filepath.Join(t.TempDir(), "rows.csv"), 0
	for _, want := range []error{errBroken, nil} {
		rows := operators.Tap(parts.Stream(), func(rxcql.Row) error {
			if seen++; seen == 50 {
				return errBroken
			}
			return nil
		})
		d := dialect.RFC4180()
		d.Zone = time.FixedZone("east", 3600) // another one each time
		p, err := rxcql.New(rows, sink.CSV[rxcql.Row](path, sink.Dialect(d)), rxcql.WithCheckpoint(&store, "job"))
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		require.ErrorIs(t, err, want)
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "a\n"+strings.Repeat("x\n", 100), string(text))
}
