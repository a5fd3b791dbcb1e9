package deadletter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// order is a row with what is hard to keep.
type order struct {
	ID    int64
	Text  string
	Blob  []byte
	At    time.Time
	Price float64
	Tags  map[string]*int
	Inner struct{ A, B *string }
}

func orders() []order {
	seven, text := 7, "<&>"
	return []order{
		{},
		{
			ID: math.MaxInt64, Text: "späte\x00\n\u2028�\\ufffd", Blob: []byte{0, 255}, Price: math.SmallestNonzeroFloat64,
			At: time.Date(2026, 2, 29, 1, 2, 3, 4, time.UTC), Tags: map[string]*int{"a": &seven, "": nil}, Inner: struct{ A, B *string }{&text, nil},
		},
		{ID: math.MinInt64, Blob: []byte{}, Tags: map[string]*int{}},
	}
}

func TestLettersComeBackAsTheyWere(t *testing.T) {
	path := file(t)
	rep, err := failing(orders()...).ForEach(context.Background(), nil, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
	require.NoError(t, err)
	require.EqualValues(t, 3, rep.DeadLettered)
	letters, errs := readAll[order](path)
	require.Empty(t, errs)
	require.Equal(t, orders(), rowsOf(letters))
	for i, l := range letters {
		require.EqualValues(t, i+1, l.N)
		require.WithinDuration(t, time.Now(), l.Time, time.Minute)
		require.NotEmpty(t, l.Run)
		l.Time, l.Run = time.Time{}, ""
		require.Equal(t, deadletter.Letter[order]{
			N: int64(i + 1), Stage: "Tap", Error: "no such row", Range: "all", Index: i, Type: "deadletter_test.order", Row: l.Row,
		}, l)
	}
	back, err := source.Seq(deadletter.Read[order](path)).Collect(context.Background())
	require.NoError(t, err)
	require.Equal(t, letters, back)
}

func TestAFileOfLettersIsForItsOwnerAndIsAddedTo(t *testing.T) {
	path := file(t)
	write(t, path, letter(1, "a"))
	write(t, path)
	write(t, path, letter(2, "b"), letter(3, "c"))
	letters, errs := readAll[string](path)
	require.Empty(t, errs)
	require.Equal(t, []string{"a", "b", "c"}, rowsOf(letters))
	for _, each := range []string{path, path + ".lock"} {
		about, err := os.Stat(each)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), about.Mode().Perm())
	}
}

func TestTwoRunsCannotWriteToOneFile(t *testing.T) {
	path := file(t)
	w, err := deadletter.NDJSON(path).Open(context.Background())
	require.NoError(t, err)
	_, err = deadletter.NDJSON(path).Open(context.Background())
	require.ErrorContains(t, err, "another run writes")
	require.NoError(t, w.Close())
	write(t, path)
}

func TestWhatIsLeftOfALetterIsToldAndCutOffByTheNextRun(t *testing.T) {
	whole := file(t)
	write(t, whole, letter(1, "a"), letter(2, strings.Repeat("b", 100)), letter(3, "c"))
	data, err := os.ReadFile(whole)
	require.NoError(t, err)
	path := file(t)
	for n := range len(data) + 1 {
		require.NoError(t, os.WriteFile(path, data[:n], 0o600))
		lines := bytes.Count(data[:n], []byte("\n"))
		letters, errs := readAll[string](path)
		require.Len(t, letters, lines)
		if n > 0 && data[n-1] != '\n' {
			require.Len(t, errs, 1)
			require.ErrorIs(t, errs[0], deadletter.ErrTorn)
			require.ErrorContains(t, errs[0], []string{"line 1", "line 2", "line 3"}[lines])
		} else {
			require.Empty(t, errs)
		}
		write(t, path, letter(9, "new"))
		letters, errs = readAll[string](path)
		require.Empty(t, errs, "%d bytes", n)
		require.Len(t, letters, lines+1)
		require.Equal(t, "new", letters[lines].Row)
	}
	long := append(bytes.Clone(data), data[:20]...)
	long = append(long, bytes.Repeat([]byte("x"), 300_000)...) // a rest of several blocks
	require.NoError(t, os.WriteFile(path, long, 0o600))
	write(t, path, letter(4, "d"))
	letters, errs := readAll[string](path)
	require.Empty(t, errs)
	require.Len(t, letters, 4)
}

func TestALineThatIsNoLetterIsToldByItsNumberAndTheOthersComeAllTheSame(t *testing.T) {
	const canary = "s3cret"
	path := file(t)
	write(t, path, letter(1, "a"))
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, bad := range []string{
		"", canary, `{"v":1,"row":"` + canary + `"`, `{"v":1}`, `{"row":"` + canary + `"}`, `{"v":99,"row":"` + canary + `"}`,
		`{"v":1,"type":"string","row":{"` + canary + `":1}}`, `{"v":1,"type":"string","row":1}`, `["` + canary + `"]`, "\x00\x00",
	} {
		require.NoError(t, os.WriteFile(path, append([]byte(bad+"\n"), good...), 0o600))
		letters, errs := readAll[string](path)
		require.Equal(t, []string{"a"}, rowsOf(letters), "%q", bad)
		require.Len(t, errs, 1, "%q", bad)
		require.ErrorIs(t, errs[0], deadletter.ErrLetter)
		require.ErrorContains(t, errs[0], "line 1")
		require.NotContains(t, errs[0].Error(), canary)
	}
	newer := bytes.Replace(good, []byte(`"v":1`), []byte(`"v":2`), 1)
	require.NoError(t, os.WriteFile(path, newer, 0o600))
	letters, errs := readAll[string](path)
	require.Empty(t, letters)
	require.ErrorContains(t, errs[0], "load it with a newer one")
}

func TestRowsOfAnotherTypeAreNotTakenForZeroRows(t *testing.T) {
	path := file(t)
	type renamed struct{ ID, Other int64 }
	_, err := failing(orders()[1]).Count(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
	require.NoError(t, err)
	row := letter(2, "")
	row.Stage, row.Type, row.Row = "Table ks.t", "rxcql.Row", []byte(`{"columns":[{"name":"c","type":"int","value":"AAAA"}]}`)
	write(t, path, row)

	letters, errs := readAll[order](path)
	require.Len(t, letters, 1)
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], `its row is a rxcql.Row of stage "Table ks.t" and not a deadletter_test.order`)
	letters, errs = readAll[order](path, deadletter.Stages("Tap"))
	require.Len(t, letters, 1)
	require.Empty(t, errs)
	rows, errs := readAll[rxcql.Row](path, deadletter.Stages("Table ks.t", "none"))
	require.Empty(t, errs)
	require.Equal(t, []byte{0, 0, 0}, rows[0].Row.Bytes(0))
	_, errs = readAll[renamed](path, deadletter.AnyType())
	require.Len(t, errs, 2, "fields that it does not have")
	raw, errs := readAll[json.RawMessage](path)
	require.Empty(t, errs)
	require.Len(t, raw, 2)
	type alias order
	same, errs := readAll[alias](path, deadletter.Stages("Tap"), deadletter.AnyType())
	require.Empty(t, errs)
	require.Equal(t, alias(orders()[1]), same[0].Row)
}

func TestAPlaceWhereNoFileCanBeIsFoundBeforeAnythingIsRead(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	_, err := rxcql.New(failing(1), nothing{}, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(""))))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "the path is empty")
	for _, path := range []string{dir, filepath.Join(dir, "none", "letters"), filepath.Join(plain, "letters")} {
		p, err := rxcql.New(failing(1), nothing{}, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
		require.NoError(t, err)
		require.ErrorContains(t, p.Check(context.Background()), "deadletter.NDJSON")
		rep, err := p.Run(context.Background())
		require.ErrorContains(t, err, "deadletter.NDJSON")
		require.Zero(t, rep.Pages)
	}
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, found, 1, "nothing was made")
}

// nothing is a sink for streams of which no row is left.
type nothing struct{}

func (nothing) Info() rxcql.SinkInfo        { return rxcql.SinkInfo{} }
func (nothing) Check(context.Context) error { return nil }
func (nothing) Open(context.Context, *rxcql.Execution) (rxcql.Writer[int], error) {
	return nothing{}, nil
}
func (nothing) Write(context.Context, *flow.Page[int]) error { return nil }
func (nothing) Flush(context.Context) error                  { return nil }
func (nothing) Close() error                                 { return nil }

func FuzzReadingLetters(f *testing.F) {
	path := file(f)
	write(f, path, letter(1, "a"), letter(2, "b"))
	data, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for l, err := range deadletter.ReadFrom[string](bytes.NewReader(data)) {
			n++
			if err == nil {
				require.Equal(t, "string", l.Type)
				continue
			}
			require.ErrorContains(t, err, fmt.Sprintf("memory, line %d", n))
		}
		lines := bytes.Count(data, []byte("\n"))
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		require.Equal(t, lines, n, "each line is a letter or an error")
		for _, err := range deadletter.ReadFrom[rxcql.Row](bytes.NewReader(data), deadletter.AnyType()) {
			_ = err
		}
	})
}
