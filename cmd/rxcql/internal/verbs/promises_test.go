package verbs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What no tool can promise is in the help of each verb that moves or compares rows of two tables.
func TestTheHelpSaysWhatNoToolCanPromise(t *testing.T) {
	for _, verb := range []string{"copy", "diff", "repair"} {
		got := rxcql(t, verb, "--help")
		require.Zero(t, got.code)
		help := strings.Join(strings.Fields(got.out), " ")
		require.Contains(t, help, "What no tool can promise:", verb)
		for _, text := range []string{"deletions are not copied", "gc_grace_seconds", "no snapshot"} {
			require.Contains(t, help, text, verb)
		}
	}
}

func TestParquetOfStandardInputIsRefusedWithTheRemedy(t *testing.T) {
	b := newBench(t)
	for _, more := range [][]string{nil, {"--dry-run"}} {
		got := b.load("-", append([]string{"--format", "parquet"}, more...)...)
		require.Equal(t, 1, got.code, got.out+got.err)
		require.Contains(t, got.out+got.err, "a Parquet file is read from its end, so it cannot come through a stream: save it as a file, and name that")
	}
	require.Equal(t, []string{""}, b.rows())
}
