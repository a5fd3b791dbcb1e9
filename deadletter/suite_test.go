package deadletter_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestAFileOfLettersIsAStoreByTheRules(t *testing.T) {
	rxcqltest.TestDeadLetters(t, func(t testing.TB) rxcqltest.DeadLetterPlace {
		path := file(t)
		return rxcqltest.DeadLetterPlace{
			Store: func() rxcql.DeadLetterStore { return deadletter.NDJSON(path) },
			Letters: func() (letters []rxcql.Letter) {
				if _, err := os.Stat(path); os.IsNotExist(err) {
					return nil
				}
				for l, err := range deadletter.Read[json.RawMessage](path, deadletter.AnyType()) {
					assert.NoError(t, err)
					letters = append(letters, rxcql.Letter{
						Run: l.Run, N: l.N, Time: l.Time, Stage: l.Stage, Error: l.Error, Range: l.Range, Page: l.Page,
						Index: l.Index, Type: l.Type, Row: l.Row,
					})
				}
				return letters
			},
			Fail: func(fail bool) { standInTheWay(t, path, fail) },
		}
	})
}

// standInTheWay puts a folder in the place of a file, and takes it away again.
func standInTheWay(t testing.TB, path string, stand bool) {
	aside := path + ".aside"
	if stand {
		if _, err := os.Stat(path); err == nil {
			assert.NoError(t, os.Rename(path, aside))
		}
		assert.NoError(t, os.Mkdir(path, 0o700))
		return
	}
	assert.NoError(t, os.Remove(path))
	if _, err := os.Stat(aside); err == nil {
		assert.NoError(t, os.Rename(aside, path))
	}
}

// New asks before, but a store of a user's own may pass letters on to one of ours.
func TestAStoreOfLettersThatIsNotConfiguredIsRefusedByOpenAndCheckToo(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, store := range map[string]rxcql.DeadLetterStore{
		"the path is empty": deadletter.NDJSON(""), "deadletter.Table": deadletter.Table(nil, "ks.letters"),
	} {
		require.ErrorContains(t, store.Check(t.Context()), name)
		_, err := store.Open(t.Context())
		require.ErrorContains(t, err, name)
	}
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, left)
}
