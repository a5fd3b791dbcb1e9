package operators_test

import (
	"context"
	"errors"
	"fmt"
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

// slowLetters is a store of dead letters that takes its time.
type slowLetters struct {
	takes   time.Duration
	fails   error
	letters int
}

func (s *slowLetters) Check(context.Context) error                          { return nil }
func (s *slowLetters) Open(context.Context) (rxcql.DeadLetterWriter, error) { return s, nil }
func (s *slowLetters) Close() error                                         { return nil }

func (s *slowLetters) Write(_ context.Context, letters []rxcql.Letter) error {
	time.Sleep(s.takes)
	s.letters += len(letters)
	return s.fails
}

// badBefore runs a job of six rows, in pages of two, into a file.
func badBefore(t *testing.T, bad func(n int) bool, letters rxcql.DeadLetterStore) (file string, store *jobtest.Store, rep rxcql.Report, err error) {
	t.Helper()
	parts := &jobtest.Parts[line]{PageRows: 2, Rows: [][]line{nil}}
	for n := range 6 {
		parts.Rows[0] = append(parts.Rows[0], line{Row: n})
	}
	rows := operators.Map(parts.Stream(), func(l line) (line, error) {
		if bad(l.Row) {
			return l, errBad
		}
		return l, nil
	})
	path := filepath.Join(t.TempDir(), "out.ndjson")
	store = &jobtest.Store{}
	p, err := rxcql.New(rows, sink.NDJSON[line](path), rxcql.WithCheckpoint(store, "job"), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	rep, err = p.Run(context.Background())
	data, reading := os.ReadFile(path)
	require.NoError(t, reading)
	return string(data), store, rep, err
}

func TestAJobIntoAFileWaitsForItsDeadLettersWhateverRowIsBad(t *testing.T) {
	bad := map[string]func(int) bool{"all": func(int) bool { return true }}
	for n := range 6 {
		bad[fmt.Sprint("row ", n)] = func(row int) bool { return row == n }
	}
	for name, isBad := range bad {
		alone(t, name, func(t *testing.T) {
			letters, want := &slowLetters{takes: 50 * time.Millisecond}, 0
			for n := range 6 {
				if isBad(n) {
					want++
				}
			}
			file, store, rep, err := badBefore(t, isBad, letters)
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.EqualValues(t, want, rep.DeadLettered)
			require.Equal(t, want, letters.letters)
			require.Equal(t, 6-want, strings.Count(file, "\n"))
			state, err := store.State("job")
			require.NoError(t, err)
			require.True(t, state.Complete)
		})
	}
}

func TestAJobIntoAFileEndsWithTheErrorOfItsDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the store is full")
		_, store, rep, err := badBefore(t, func(n int) bool { return n == 5 }, &slowLetters{takes: 50 * time.Millisecond, fails: broken})
		require.ErrorIs(t, err, broken)
		require.False(t, rep.Complete)
		state, err := store.State("job")
		require.NoError(t, err)
		require.False(t, state.Complete)
	})
}

func TestASaveOfAFileIsMadeThoughLettersAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // each letter outlasts the time between two saves
		letters := &slowLetters{takes: 3 * time.Second}
		_, _, rep, err := badBefore(t, func(n int) bool { return n%2 == 1 }, letters)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 3, rep.DeadLettered)
	})
}
