package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// longJob is a job of 1000 rows in pages of 10 that is stopped after so many.
type longJob struct {
	store jobtest.Store
	parts jobtest.Parts[event]
	p     *rxcql.Pipeline
	stop  int
	fail  int
	seen  int
}

var errBroken = errors.New("broken on purpose")

func newLongJob(rows int) *longJob {
	j := &longJob{parts: jobtest.Parts[event]{PageRows: 10, Rows: [][]event{nil}}}
	for i := range rows {
		j.parts.Rows[0] = append(j.parts.Rows[0], event{P: int64(i), V: "v"})
	}
	return j
}

func (j *longJob) run(t *testing.T, to rxcql.Sink[event]) (rxcql.Report, error) {
	t.Helper()
	var err error
	rows := operators.Tap(j.parts.Stream(), func(e event) error {
		if j.seen++; j.seen == j.stop {
			j.p.Stop()
		}
		if j.seen == j.fail {
			return errBroken
		}
		return nil
	})
	j.p, err = rxcql.New(rows, to, rxcql.WithCheckpoint(&j.store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
	require.NoError(t, err)
	return j.p.Run(context.Background())
}

// each is the file that a job of so many rows ends with.
func each(rows int) string {
	var b strings.Builder
	b.WriteString("p,c,v\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,0,v\n", i)
	}
	return b.String()
}

func TestAJobThatGoesOnCutsOffWhatCameAfterItsSave(t *testing.T) {
	path, j := outPath(t), newLongJob(1000)
	j.stop = 301
	rep, err := j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	saved := content(t, path)
	require.Equal(t, each(310), saved)

	for _, after := range []string{"999,0,v\n", "9", "", strings.Repeat("\x00", 100_000)} {
		require.NoError(t, os.WriteFile(path, []byte(saved+after), 0o600))
		j.seen, j.stop, j.fail = 0, 0, 205 // nothing is saved
		_, err = j.run(t, sink.CSV[event](path))
		require.ErrorIs(t, err, errBroken)
		require.True(t, strings.HasPrefix(content(t, path), saved))
		if len(after) > 0 {
			require.False(t, strings.HasPrefix(content(t, path), saved+after))
		}
	}
	j.fail = 0
	rep, err = j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, each(1000), content(t, path))

	// The job is complete: it begins anew, and not in that file.
	_, err = j.run(t, sink.CSV[event](path))
	require.ErrorIs(t, err, fs.ErrExist)
	require.Equal(t, each(1000), content(t, path))
	_, err = j.run(t, sink.CSV[event](path, sink.Overwrite()))
	require.NoError(t, err)
	require.Equal(t, each(1000), content(t, path))
}

func TestAJobDoesNotGoOnInAFileThatIsNotTheOneItHasWritten(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(path string) error
		says   string
	}{
		"shorter":   {func(path string) error { return os.Truncate(path, 100) }, "shorter than"},
		"empty":     {func(path string) error { return os.Truncate(path, 0) }, "shorter than"},
		"missing":   {os.Remove, "no such file"},
		"other":     {func(path string) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) }, "other bytes before offset"},
		"one digit": {func(path string) error { return changeByte(path, 3_000) }, "other bytes before offset"},
	} {
		t.Run(name, func(t *testing.T) {
			path, j := outPath(t), newLongJob(1000)
			j.stop = 700
			_, err := j.run(t, sink.CSV[event](path))
			require.NoError(t, err)
			require.NoError(t, c.meddle(path))
			before, _ := os.ReadFile(path)
			j.stop, j.parts.Read = 0, 0
			for _, to := range []rxcql.Sink[event]{sink.CSV[event](path), sink.CSV[event](path, sink.Overwrite())} {
				_, err = j.run(t, to)
				require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
				require.ErrorContains(t, err, path)
				require.ErrorContains(t, err, c.says)
				require.ErrorContains(t, err, "another job name")
				require.Zero(t, j.parts.Read)
				now, _ := os.ReadFile(path)
				require.Equal(t, before, now, "the file was touched")
			}
		})
	}
}

func changeByte(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte{'#'}, at)
	return err
}

func TestAFileMayBeMovedButNotRenamedAndItsColumnsStay(t *testing.T) {
	path, j := outPath(t), newLongJob(1000)
	j.stop = 301
	_, err := j.run(t, sink.CSV[event](path))
	require.NoError(t, err)
	j.stop = 0

	other := filepath.Join(t.TempDir(), "renamed")
	require.NoError(t, os.WriteFile(other, []byte("precious"), 0o600))
	_, err = j.run(t, sink.CSV[event](other, sink.Overwrite()))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.Equal(t, "precious", content(t, other))

	_, err = j.run(t, sink.NDJSON[event](path, sink.Overwrite()))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)

	type narrow struct {
		P int64 `cql:"p"`
	}
	less := sink.Through(func(in rxcql.Stream[event]) rxcql.Stream[narrow] {
		return operators.Map(in, func(e event) (narrow, error) { return narrow{e.P}, nil })
	}, sink.CSV[narrow](path))
	_, err = j.run(t, less)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, `the file has the columns ["p" "c" "v"], and the rows have ["p"]`)

	moved := filepath.Join(t.TempDir(), filepath.Base(path))
	require.NoError(t, os.Rename(path, moved))
	_, err = j.run(t, sink.CSV[event](moved))
	require.NoError(t, err)
	require.Equal(t, each(1000), content(t, moved))
}

func TestAFileSinkStandsBehindNothingThatHoldsRows(t *testing.T) {
	rows := operators.Batch(newLongJob(1).parts.Stream(), operators.BatchRows(2))
	_, err := rxcql.New(rows, sink.NDJSON[[]event]("x"), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
}

func TestAFileIsDurableAndItsLengthSavedWhileTheJobRuns(t *testing.T) {
	synctest.Test(t, durableMeanwhile)
}

func durableMeanwhile(t *testing.T) {
	path, j := outPath(t), newLongJob(1000)
	slow := sink.Tee(sink.CSV[event](path), sink.Each(func(context.Context, event) error {
		time.Sleep(100 * time.Microsecond)
		return nil
	}, sink.Idempotent()))
	lengths := map[string]bool{}
	j.store.FailSave = func(int) error {
		if state, err := j.store.State("job"); err == nil {
			lengths[string(state.Sinks[1].State)] = true
		}
		return nil
	}
	rep, err := j.run(t, slow)
	require.NoError(t, err)
	require.Greater(t, rep.Saves, int64(3))
	require.Greater(t, len(lengths), 3)
}

func outPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "out")
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
