package rxcql_test

import (
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestTheStoreOfTheExampleKeepsTheRules(t *testing.T) {
	rxcqltest.TestCheckpointStore(t, func(testing.TB) rxcqltest.CheckpointPlace {
		store := newMemoryStore()
		return rxcqltest.CheckpointPlace{
			Store:  func() rxcql.CheckpointStore { return store },
			Expire: store.Expire,
		}
	})
}
