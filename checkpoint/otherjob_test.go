package checkpoint_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// The remedy that one error names works: a file keeps one job, so another name alone is refused.
func TestAJobIsBegunAnewByAnotherNameAndAnotherFile(t *testing.T) {
	folder := t.TempDir()
	run := func(table, file, job string) error {
		rows := source.NDJSON[int](table)
		none := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
		_, err := rxcql.Run(t.Context(), rows, none,
			rxcql.WithCheckpoint(checkpoint.File(filepath.Join(folder, file)), job, rxcql.RunOnce()))
		return err
	}
	first, second := write(t, folder, "first.ndjson"), write(t, folder, "second.ndjson")
	require.NoError(t, run(first, "a", "copy"))

	err := run(second, "a", "copy")
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "to begin anew give the job another name, and a file of its own")

	err = run(second, "a", "copy 2")
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, `it is of job "copy"; give this job a checkpoint of its own (another file)`)

	require.NoError(t, run(second, "b", "copy 2"))
}

func write(t *testing.T, folder, name string) string {
	path := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(path, []byte("1\n2\n"), 0o600))
	return path
}
