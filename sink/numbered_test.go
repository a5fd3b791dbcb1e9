package sink_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

// folder has the names of its files, sorted, and their texts.
func folder(t *testing.T, path string) (names []string, texts map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	texts = map[string]string{}
	for _, e := range entries {
		names = append(names, e.Name())
		texts[e.Name()] = content(t, filepath.Join(path, e.Name()))
	}
	return names, texts
}

// keysIn are the partition keys in files of CSV of events, sorted. Each file must have its header,
// and a final name.
func keysIn(t *testing.T, path string) (keys []string) {
	t.Helper()
	names, texts := folder(t, path)
	for _, name := range names {
		require.False(t, strings.HasSuffix(name, ".part"), name)
		rows, found := strings.CutPrefix(texts[name], "p,c,v\n")
		require.True(t, found, "%s has no header", name)
		for line := range strings.Lines(rows) {
			require.True(t, strings.HasSuffix(line, ",v\n"), line)
			key, _, _ := strings.Cut(line, ",")
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func keysTo(n int) (keys []string) {
	for line := range strings.Lines(strings.TrimPrefix(each(n), "p,c,v\n")) {
		key, _, _ := strings.Cut(line, ",")
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestFilesWithNumbersAreBoundedAndWholeAndHaveEachRowOnce(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		dir := t.TempDir()
		rep, err := run(t, newLongJob(10_000).parts.Stream(),
			sink.CSV[event](filepath.Join(dir, "part-%03d.csv"), sink.MaxBytes(4096), sink.Parallel(parallel)))
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 10_000, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
		require.Equal(t, keysTo(10_000), keysIn(t, dir))
		names, texts := folder(t, dir)
		require.Greater(t, len(names), 20)
		require.Equal(t, "part-000.csv", names[0])
		for name, text := range texts {
			require.LessOrEqual(t, len(text), 4096, name)
		}
		if parallel == 1 {
			var all strings.Builder
			for _, name := range names {
				all.WriteString(strings.TrimPrefix(texts[name], "p,c,v\n"))
			}
			require.Equal(t, each(10_000), "p,c,v\n"+all.String(), "one file at a time keeps the order")
		}
	}
}

func TestARowThatIsLargerThanAFileHasOneOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", 10_000)
	_, err := run(t, sequence("a", long, "b", "c"), sink.JSONArray[string](filepath.Join(dir, "%d.json"), sink.MaxBytes(4096)))
	require.NoError(t, err)
	_, texts := folder(t, dir)
	require.Equal(t, map[string]string{
		"0.json": "[\n\"a\"\n]\n", "1.json": "[\n\"" + long + "\"\n]\n", "2.json": "[\n\"b\",\n\"c\"\n]\n",
	}, texts)
}

func TestWithoutRowsThereIsOneFileWithoutRows(t *testing.T) {
	dir := t.TempDir()
	_, err := run(t, sequence[event](), sink.CSV[event](filepath.Join(dir, "p%d"), sink.Parallel(4)))
	require.NoError(t, err)
	_, texts := folder(t, dir)
	require.Equal(t, map[string]string{"p0": "p,c,v\n"}, texts)

	dir = t.TempDir()
	_, err = run(t, sequence[rxcql.Row](), sink.CSV[rxcql.Row](filepath.Join(dir, "p%d"), sink.Parallel(1), sink.Header("a", "b,c")))
	require.NoError(t, err)
	_, texts = folder(t, dir)
	require.Equal(t, map[string]string{"p0": "a,\"b,c\"\n"}, texts)
}

func TestFilesThatAreThereAreRefusedExceptWithOverwrite(t *testing.T) {
	for _, name := range []string{"part-7.csv", "part-7.csv.part"} {
		dir := t.TempDir()
		pattern, there, other := filepath.Join(dir, "part-%d.csv"), filepath.Join(dir, name), filepath.Join(dir, "part-x.csv")
		require.NoError(t, os.WriteFile(there, []byte("old"), 0o600))
		require.NoError(t, os.WriteFile(other, []byte("other"), 0o600))
		_, err := run(t, newLongJob(10).parts.Stream(), sink.CSV[event](pattern, sink.Parallel(1)))
		require.ErrorIs(t, err, fs.ErrExist)
		require.ErrorContains(t, err, there)
		require.Equal(t, "old", content(t, there))

		_, err = run(t, newLongJob(10).parts.Stream(), sink.CSV[event](pattern, sink.Parallel(1), sink.Overwrite()))
		require.NoError(t, err)
		require.Equal(t, "other", content(t, other), "it is not of the pattern")
		require.NoError(t, os.Remove(other))
		require.Equal(t, keysTo(10), keysIn(t, dir))
	}
}

func TestARunThatFailsLeavesNoFileThatSeemsWhole(t *testing.T) {
	dir := t.TempDir()
	j := newLongJob(10_000)
	j.fail = 3000
	_, err := j.run(t, sink.CSV[event](filepath.Join(dir, "p-%d"), sink.Parallel(3)))
	require.ErrorIs(t, err, errBroken)
	names, _ := folder(t, dir)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.True(t, strings.HasSuffix(name, ".part"), name)
	}
}

func TestAPatternNeedsOnePlaceForANumber(t *testing.T) {
	for _, path := range []string{"plain.csv", "a%d-%d", "%s", "%d/x.csv"} {
		_, err := rxcql.New(sequence[event](), sink.CSV[event](path, sink.Parallel(2)))
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "one place for the number")
	}
	_, err := rxcql.New(sequence[event](), sink.CSV[event]("x", sink.Parallel(0), sink.MaxBytes(1)))
	require.ErrorContains(t, err, "Parallel(0)")
	require.ErrorContains(t, err, "MaxBytes(1)")
}
