package checkpoint_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestAFileIsAStoreByTheRules(t *testing.T) {
	rxcqltest.TestCheckpointStore(t, func(t testing.TB) rxcqltest.CheckpointPlace {
		path := filepath.Join(t.TempDir(), "job")
		return rxcqltest.CheckpointPlace{
			Store:  func() rxcql.CheckpointStore { return checkpoint.File(path) },
			OneJob: true,
			Expire: func(string) { assert.NoError(t, os.Remove(path+".lock")) },
			Fail:   func(fail bool) { standInTheWay(t, path, fail) },
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
