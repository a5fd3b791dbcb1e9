package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// Files of CSV that cqlsh and DSBulk have written are loaded in full, and have the same rows.
func TestTransferFilesOfCqlshAndDSBulkAreLoadedByTheCommand(t *testing.T) {
	const testdata = "../../dialect/testdata"
	session, ks := cassandra.Keyspace(t, cluster)
	schema, err := os.ReadFile(filepath.Join(testdata, "schema.cql"))
	require.NoError(t, err)
	typ, table, _ := strings.Cut(string(schema), ";\n")
	require.NoError(t, session.Query(strings.Replace(typ, "TYPE address", "TYPE "+ks+".address", 1)).Exec())
	table = strings.TrimSuffix(strings.TrimSpace(table), ";")
	for _, name := range []string{"dsbulk", "cqlsh"} {
		to := ks + "." + name
		require.NoError(t, session.Query(strings.Replace(table, "TABLE everything", "TABLE "+to, 1)).Exec())
		code, stdout, stderr := run(t, "load", filepath.Join(testdata, name+".csv"), "--into", to, "--dialect", name, "--progress", "none", "--json", "-")
		require.Zero(t, code, stderr)
		r := parsed(t, stdout)
		require.EqualValues(t, []int64{201, 201}, []int64{r.Read, r.Written}, name)
	}
	// cqlsh writes empty text as null, and floats of vectors with 5 digits.
	code, stdout, stderr := run(t, "diff", ks+".dsbulk", "--to", ks+".cqlsh", "--out", filepath.Join(t.TempDir(), "diff"), "--pause", "0",
		"--leave-out", "select", "--leave-out", "vec", "--progress", "none", "--json", "-")
	require.Zero(t, code, stdout+stderr)
	require.EqualValues(t, 2*200, parsed(t, stdout).Read, "both sides, but for the partition of statics")
}
