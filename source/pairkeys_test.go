package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// The elements of a set are written down in their order, which uuid and timeuuid do not share. So
// equal sets have other bytes, and would be taken for keys of other rows.
func TestKeysWhoseElementsAreInAnotherOrderAreRefusedThoughEachHasTheSameBytes(t *testing.T) {
	server := cqlfake.New(t)
	session := server.Session("")
	server.Keyspace("ks")
	type row struct {
		V int `cql:"v"`
	}
	for _, c := range []struct {
		left, right string
		match       bool
	}{
		{"uuid", "timeuuid", true},
		{"frozen<list<uuid>>", "frozen<list<timeuuid>>", true},
		{"frozen<set<text>>", "frozen<set<blob>>", true},
		{"frozen<map<int, uuid>>", "frozen<map<int, timeuuid>>", true},
		{"frozen<set<uuid>>", "frozen<set<timeuuid>>", false},
		{"frozen<map<uuid, int>>", "frozen<map<timeuuid, int>>", false},
		{"frozen<list<frozen<set<uuid>>>>", "frozen<list<frozen<set<timeuuid>>>>", false},
	} {
		server.Exec("CREATE TABLE ks.l (k "+c.left+" PRIMARY KEY, v int)", "CREATE TABLE ks.r (k "+c.right+" PRIMARY KEY, v int)")
		err := source.TablePair[row, row](session, "ks.l", session, "ks.r").Check(t.Context())
		if c.match {
			require.NoError(t, err, "%s, %s", c.left, c.right)
		} else {
			require.ErrorIs(t, err, rxcql.ErrSchema, "%s, %s", c.left, c.right)
			require.ErrorContains(t, err, "partition key column 1", c.left)
		}
		server.Exec("DROP TABLE ks.l", "DROP TABLE ks.r")
	}
}
