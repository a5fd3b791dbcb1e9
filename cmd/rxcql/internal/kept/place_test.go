package kept_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
)

// bench is a place with a scene that a test changes.
type bench struct {
	*kept.Place
	scene kept.Scene
}

// newBench makes the place of a copy, whose checkpoint is there if it has begun.
func newBench(t *testing.T) *bench {
	t.Helper()
	folder := t.TempDir()
	b := &bench{scene: kept.Scene{Tables: []kept.Table{
		{Side: "source", Name: "shop.t", Role: kept.Origin, ID: "s1", Cluster: "old", Nodes: []string{"a", "b"}},
		{Side: "target", Name: "shop.t", Role: kept.Goal, ID: "t1", Cluster: "new", Nodes: []string{"c"}},
	}}}
	b.Place = &kept.Place{
		Job: "copy shop.t", File: filepath.Join(folder, "shop.t.job.json"), Positions: filepath.Join(folder, "shop.t.checkpoint"),
		Look: func(context.Context) (kept.Scene, error) {
			text, err := json.Marshal(b.scene) // a look gives values of its own
			require.NoError(t, err)
			var s kept.Scene
			require.NoError(t, json.Unmarshal(text, &s))
			for i := range s.Tables {
				s.Tables[i].Empty, s.Tables[i].Truncated = b.scene.Tables[i].Empty, b.scene.Tables[i].Truncated
			}
			return s, err
		},
	}
	return b
}

// begin begins a run of the job, as far as to know what there is.
func (b *bench) begin(t *testing.T) (kept.Found, error) {
	t.Helper()
	found, err := b.Begin(t.Context())
	require.NoError(t, b.Release())
	return found, err
}

// interrupted is a run that wrote positions and was killed, or that came to its end while others
// did not.
func (b *bench) interrupted(t *testing.T, done bool) {
	t.Helper()
	found, err := b.Begin(t.Context())
	require.NoError(t, err)
	require.Nil(t, found.Outcome)
	require.NoError(t, os.WriteFile(b.Positions, []byte("positions"), 0o600))
	if done {
		require.NoError(t, b.Keep(t.Context(), map[string]int{"rows": 10}, true))
	}
	require.NoError(t, b.Release())
}

func TestWhatAnInterruptedRunHasLeftCountsOnlyForWhatItWasMadeWith(t *testing.T) {
	const goesOn = ""
	for name, c := range map[string]struct {
		change func(b *bench)
		// What a job that was in its middle does then, and one that was complete: goesOn, the reason why
		// it is begun anew, or the error behind a "!".
		middle, done string
	}{
		"nothing":                        {func(*bench) {}, goesOn, goesOn},
		"nodes came and went":            {func(b *bench) { b.scene.Tables[0].Nodes = []string{"b", "d"} }, goesOn, goesOn},
		"another source cluster":         {func(b *bench) { b.scene.Tables[0].Nodes = []string{"x"} }, "!another cluster", "!another cluster"},
		"another target cluster":         {func(b *bench) { b.scene.Tables[1].Nodes = []string{"x"} }, "!another cluster", "!another cluster"},
		"another job":                    {func(b *bench) { b.Job = "copy with other flags" }, "!another job", "!another job"},
		"the source was made again":      {func(b *bench) { b.scene.Tables[0].ID = "s2" }, "!made again", "!made again"},
		"the target was made again":      {func(b *bench) { b.scene.Tables[1].ID = "t2" }, "dropped since", "dropped since"},
		"the target was dropped":         {func(b *bench) { b.scene.Tables[1].ID = "" }, "dropped since", "dropped since"},
		"the target was truncated":       {func(b *bench) { b.scene.Tables[1].Truncated = time.Now().Add(time.Hour) }, "truncated since", "truncated since"},
		"it was truncated before":        {func(b *bench) { b.scene.Tables[1].Truncated = time.Now().Add(-time.Hour) }, goesOn, goesOn},
		"the target is empty":            {func(b *bench) { b.scene.Tables[1].Empty = true }, "empty now", "empty now"},
		"the source was truncated":       {func(b *bench) { b.scene.Tables[0].Truncated = time.Now().Add(time.Hour) }, goesOn, goesOn},
		"a file is new":                  {func(b *bench) { b.scene.Inputs = []kept.File{{Path: "in.csv"}} }, "in.csv is new", "in.csv is new"},
		"another target, of other names": {func(b *bench) { b.scene.Tables[1].Name = "shop.other" }, "!made with", "!made with"},
	} {
		for _, done := range []bool{false, true} {
			b := newBench(t)
			b.interrupted(t, done)
			c.change(b)
			want := c.middle
			if done {
				want = c.done
			}
			_, peeked := b.Peek(t.Context())
			found, err := b.begin(t)
			require.Equal(t, peeked == nil, err == nil, "%s: a dry run says the same", name)
			switch {
			case want == goesOn:
				require.NoError(t, err, name)
				require.Empty(t, found.Anew, name)
				require.Equal(t, done, found.Outcome != nil, name)
				require.FileExists(t, b.Positions, name)
			case want[0] == '!':
				require.ErrorContains(t, err, want[1:], name)
				require.ErrorContains(t, err, "--restart", name)
				require.FileExists(t, b.Positions, "%s: what is there stays", name)
			default:
				require.NoError(t, err, name)
				require.Contains(t, found.Anew, want, name)
				require.Nil(t, found.Outcome, name)
				require.NoFileExists(t, b.Positions, name)
			}
		}
	}
}

func TestFilesThatHaveChangedAreLoadedAnewAndThoseThatWereUnloadedAreNotReplaced(t *testing.T) {
	at := time.Now()
	input, output := kept.File{Path: "in.csv", Size: 10, Modified: at}, kept.File{Path: "out.csv", Size: 10, Modified: at}
	for name, change := range map[string]func([]kept.File) []kept.File{
		"is gone":     func([]kept.File) []kept.File { return nil },
		"has changed": func(f []kept.File) []kept.File { return []kept.File{{f[0].Path, f[0].Size, at.Add(time.Second)}} },
	} {
		b := newBench(t)
		b.scene.Inputs, b.scene.Outputs = []kept.File{input}, []kept.File{output}
		b.interrupted(t, true)
		found, err := b.begin(t)
		require.NoError(t, err)
		require.NotNil(t, found.Outcome)

		b.scene.Outputs = change(b.scene.Outputs)
		_, err = b.begin(t)
		require.ErrorContains(t, err, "out.csv "+name)

		b.scene.Inputs, b.scene.Outputs = change(b.scene.Inputs), []kept.File{output}
		found, err = b.begin(t)
		require.NoError(t, err)
		require.Equal(t, "in.csv "+name, found.Anew)
	}
}

func TestAnEmptyTableOfAJobThatHadNoRowsIsNoReason(t *testing.T) {
	b := newBench(t)
	b.scene.Tables[1].Empty = true
	_, err := b.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, b.Keep(t.Context(), "none", false))
	require.NoError(t, b.Release())
	found, err := b.begin(t)
	require.NoError(t, err)
	require.NotNil(t, found.Outcome)
}

func TestATableThatTheJobHasMadeIsKnownByItsIdAfterwards(t *testing.T) {
	b := newBench(t)
	b.scene.Tables[1].ID = ""
	_, err := b.Begin(t.Context())
	require.NoError(t, err)
	b.scene.Tables[1].ID = "made"
	require.NoError(t, b.Keep(t.Context(), "done", true))
	require.NoError(t, b.Release())
	b.scene.Tables[1].ID = "made again"
	found, err := b.begin(t)
	require.NoError(t, err)
	require.Contains(t, found.Anew, "dropped since")
}

func TestARunThatHasComeToItsEndIsForgotten(t *testing.T) {
	b := newBench(t)
	b.interrupted(t, true)
	require.NoError(t, b.Forget(t.Context()))
	require.NoFileExists(t, b.File)
	require.NoFileExists(t, b.Positions)
	b.Job = "another one" // in the same folder
	found, err := b.begin(t)
	require.NoError(t, err)
	require.Equal(t, kept.Found{}, found)
}

func TestARunThatWasKilledWhileItForgotIsForgotten(t *testing.T) {
	b := newBench(t)
	b.interrupted(t, true)
	text, err := os.ReadFile(b.File)
	require.NoError(t, err)
	var record map[string]any
	require.NoError(t, json.Unmarshal(text, &record))
	record["void"] = true // the first step of it
	text, err = json.Marshal(record)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(b.File, text, 0o600))
	found, err := b.begin(t)
	require.NoError(t, err)
	require.Nil(t, found.Outcome)
	require.NoFileExists(t, b.Positions)
}

func TestAJobThatHasNothingToGoOnFromBeginsWhateverTheRecordSays(t *testing.T) {
	b := newBench(t)
	_, err := b.begin(t) // it failed before it had read anything
	require.NoError(t, err)
	b.scene.Tables[1].ID, b.Job = "made again", "with other flags"
	found, err := b.begin(t)
	require.NoError(t, err)
	require.Equal(t, kept.Found{}, found)
}

func TestPositionsOfWhichNothingIsKnownAreRefused(t *testing.T) {
	b := newBench(t)
	require.NoError(t, os.WriteFile(b.Positions, []byte("positions"), 0o600))
	_, err := b.begin(t)
	require.ErrorContains(t, err, "--restart")
	b.Restart = true
	_, err = b.begin(t)
	require.NoError(t, err)
	require.NoFileExists(t, b.Positions)
}

func TestRestartBeginsAnewWhateverThereIs(t *testing.T) {
	for _, text := range []string{"", "not json", `{"job":"another"}`} {
		b := newBench(t)
		b.interrupted(t, true)
		if text != "" {
			require.NoError(t, os.WriteFile(b.File, []byte(text), 0o600))
			_, err := b.begin(t)
			require.ErrorContains(t, err, "--restart", text)
		}
		b.Restart = true
		found, err := b.begin(t)
		require.NoError(t, err)
		require.Equal(t, kept.Found{}, found)
		require.NoFileExists(t, b.Positions)
	}
}

func TestTwoRunsDoNotWorkOnOneTable(t *testing.T) {
	b := newBench(t)
	_, err := b.Begin(t.Context())
	require.NoError(t, err)
	second := *b.Place
	_, err = second.Begin(t.Context())
	require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
	require.NoError(t, second.Release())
	require.NoError(t, second.Forget(t.Context()), "what another run has begun stays")
	require.FileExists(t, b.File)
	require.NoError(t, b.Release())
}

func TestResultsOfAnEndedRunAreMovedAwayAndNotDeleted(t *testing.T) {
	b := newBench(t)
	b.Positions = filepath.Join(filepath.Dir(b.File), "shop.t")
	b.Results = true
	report := filepath.Join(b.Positions, "report.json")
	b.Ended = func() bool { _, err := os.Stat(report); return err == nil }
	_, err := b.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(b.Positions, 0o700))
	require.NoError(t, os.WriteFile(report, []byte("equal"), 0o600))
	require.NoError(t, b.Keep(t.Context(), "equal", true))
	require.NoError(t, b.Release())
	require.NoError(t, b.Forget(t.Context()))
	require.FileExists(t, report, "people read it")

	found, err := b.begin(t)
	require.NoError(t, err)
	require.Nil(t, found.Outcome, "it is compared anew")
	require.NoDirExists(t, b.Positions)
	moved, err := filepath.Glob(filepath.Join(filepath.Dir(b.File), kept.Earlier, "shop.t.*", "report.json"))
	require.NoError(t, err)
	require.Len(t, moved, 1)
}

func TestALookThatFailsBeginsNothing(t *testing.T) {
	b := newBench(t)
	b.Look = func(context.Context) (kept.Scene, error) { return kept.Scene{}, errors.New("no answer") }
	_, err := b.begin(t)
	require.ErrorContains(t, err, "no answer")
	require.NoFileExists(t, b.File)
}
