package rxcql_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// Nothing of the file is settled, so only how far it was read tells that it is another one. Its
// rows would be taken for rows that were counted.
func TestAFileThatWasReplacedIsRefusedThoughNothingOfItIsSettled(t *testing.T) {
	const lines = `{"ID":0,"At":1}
{"ID":1,"At":2}
{"ID":2,"At":12}
{"ID":3,"At":13}
`
	const others = `{"ID":7,"At":1}
{"ID":8,"At":2}
{"ID":9,"At":12}
`
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"the same":    {lines, nil},
		"it grew":     {lines + `{"ID":4,"At":14}` + "\n", nil},
		"another":     {others, rxcql.ErrCheckpointForeign},
		"a short one": {others[:16], rxcql.ErrCheckpointForeign},
	} {
		path := filepath.Join(t.TempDir(), "readings.ndjson")
		write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				write(lines)
				j := newWindowJob(10, 10, nil)
				run := func() error {
					j.windows.parts = 1
					s := windowed(timed(source.NDJSON[reading](path, source.PageRows(1)), 0, 0), &j.windows)
					_, err := rxcql.Run(context.Background(), s, rxcql.Sink[result](j.to), rxcql.WithCheckpoint(j.store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
					j.store.Break(nil)
					return err
				}
				j.killBefore(2)
				require.ErrorIs(t, run(), errKilled)
				part := j.part(t, 0)
				require.Zero(t, part.Pages)
				require.EqualValues(t, 2, part.Read)

				write(c.text)
				if c.want != nil {
					require.ErrorIs(t, run(), c.want)
					return
				}
				require.NoError(t, run())
				require.Equal(t, []int{0, 1}, j.table()[window{}])
				require.Empty(t, j.lateRows)
			})
		})
	}
}
