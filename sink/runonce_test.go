package sink_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// runOnce runs the first step of a job of several.
func runOnce(t *testing.T, store *jobtest.Store, to rxcql.Sink[event]) (rxcql.Report, error) {
	t.Helper()
	p, err := rxcql.New(newLongJob(100).parts.Stream(), to, rxcql.WithCheckpoint(store, "job", rxcql.RunOnce()))
	require.NoError(t, err)
	return p.Run(context.Background())
}

func TestAJobThatIsCompleteDoesNotLookAtItsFile(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(path string) error
		left   string
	}{
		"as it was": {func(string) error { return nil }, each(100)},
		"added to": {func(path string) error {
			return os.WriteFile(path, []byte(each(100)+"100,0,added by the second step\n"), 0o600)
		}, each(100) + "100,0,added by the second step\n"},
		"changed":     {func(path string) error { return os.WriteFile(path, []byte("other"), 0o600) }, "other"},
		"moved":       {func(path string) error { return os.Rename(path, path+".loaded") }, ""},
		"folder gone": {func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path, store := outPath(t), &jobtest.Store{}
			_, err := runOnce(t, store, sink.CSV[event](path))
			require.NoError(t, err)
			require.NoError(t, c.meddle(path))
			state := store.Get("job")
			rep, err := runOnce(t, store, sink.CSV[event](path))
			require.NoError(t, err, "another run reads nothing and is complete at once")
			require.True(t, rep.Complete)
			require.True(t, rep.Resumed)
			require.EqualValues(t, 100, rep.ResumedRows)
			require.Zero(t, rep.Pages)
			require.Zero(t, rep.Saves)
			require.Equal(t, "CSV out", rep.Stages[len(rep.Stages)-1].Name)
			require.Equal(t, state, store.Get("job"))
			if c.left == "" {
				require.NoFileExists(t, path)
			} else {
				require.Equal(t, c.left, content(t, path))
			}
		})
	}
}

func TestAJobThatIsCompleteIsKnownByItsSinksWithoutOpeningThem(t *testing.T) {
	server := func(context.Context, sink.Sent) error { return nil }
	one := func(context.Context, event) error { return nil }
	through := func(in rxcql.Stream[event]) rxcql.Stream[event] {
		return operators.Filter(in, func(e event) bool { return e.P%2 == 0 })
	}
	folder := t.TempDir()
	file := func(name string) rxcql.Sink[event] {
		return sink.NDJSON[event](filepath.Join(folder, name), sink.Overwrite())
	}
	sinks := map[string]func(file rxcql.Sink[event]) rxcql.Sink[event]{
		"alone": func(file rxcql.Sink[event]) rxcql.Sink[event] { return file },
		"Tee": func(file rxcql.Sink[event]) rxcql.Sink[event] {
			return sink.Tee(sink.Each(one, sink.Idempotent()), file)
		},
		"Through": func(file rxcql.Sink[event]) rxcql.Sink[event] { return sink.Through(through, file) },
		"all": func(file rxcql.Sink[event]) rxcql.Sink[event] {
			return sink.Tee(sink.Each(one, sink.Idempotent()), sink.TableOn[event](server, events()), file,
				sink.Through(through, sink.Tee(sink.Each(one, sink.Idempotent(), sink.InFlight(2)), sink.Through(through, sink.CSV[event](filepath.Join(folder, "csv"), sink.Overwrite())))))
		},
	}
	for name, to := range sinks {
		t.Run(name, func(t *testing.T) {
			store := &jobtest.Store{}
			first, err := runOnce(t, store, to(file("one")))
			require.NoError(t, err)
			again, err := runOnce(t, store, to(file("one")))
			require.NoError(t, err)
			require.Zero(t, again.Written)
			for _, st := range again.Stages { // the others are in functions of Through, which only Open brings in
				require.Contains(t, stageNames(first), st.Name)
			}
			state := store.Get("job")
			_, err = runOnce(t, store, to(file("two")))
			require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, "that this has not been done")
			require.ErrorContains(t, err, `"job"`)
			require.ErrorContains(t, err, "NDJSON one, and this one to NDJSON two")
			require.NoFileExists(t, filepath.Join(folder, "two"))
			require.Equal(t, state, store.Get("job"))
		})
	}
	store := &jobtest.Store{}
	_, err := runOnce(t, store, file("one"))
	require.NoError(t, err)
	_, err = runOnce(t, store, sinks["Tee"](file("one")))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "writes to 1 sinks, and this one to 3")
}

func stageNames(rep rxcql.Report) (names []string) {
	for _, st := range rep.Stages {
		names = append(names, st.Name)
	}
	return names
}
