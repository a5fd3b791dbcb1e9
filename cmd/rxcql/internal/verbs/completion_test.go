package verbs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShellsCompleteFilesFoldersAndWordsWhereTheyAreTaken(t *testing.T) {
	for line, want := range map[string]string{
		"copy ": ":4", "count --hosts ": ":4", "diff shop --pause ": ":4", // nothing, and no files
		"load ": ":0", "load x --bad ": ":0", "unload shop --out ": ":0", "copy shop --source-tls-ca ": ":0", "count shop --json ": ":0",
		"copy shop --checkpoint ": ":16", "diff shop --out ": ":16", "repair --from ": ":16", // folders
		"unload shop --format ":          "csv ndjson json parquet :36",
		"load x --dialect=":              "rfc4180 cqlsh dsbulk :36",
		"count shop --progress ":         "auto bar plain none :36",
		"copy shop --target-tls-verify ": "full chain none :36",
		"copy shop --consistency ":       "LOCAL_QUORUM LOCAL_ONE QUORUM EACH_QUORUM ONE TWO THREE ALL :36",
		"copy shop --times --cre":        "--create make what is missing",
	} {
		got := rxcql(t, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		require.Zero(t, got.code, line)
		require.Contains(t, strings.Join(strings.Fields(got.out), " "), want, line)
	}
}
