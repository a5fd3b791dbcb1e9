// Package splits_test reads tables among tombstones on a real server, which allows few of them so
// that the tests are quick.
package splits_test

import (
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// allowed is how many tombstones a read may meet: a hundredth of the default.
const allowed = 1000

var cluster *cassandra.Cluster

func TestMain(m *testing.M) {
	cassandra.Main(m, &cluster, cassandra.Setting("tombstone_failure_threshold", fmt.Sprint(allowed)), cassandra.Setting("tombstone_warn_threshold", "900"))
}

func exec(t *testing.T, session *gocql.Session, format string, args ...any) {
	t.Helper()
	require.NoError(t, session.Query(fmt.Sprintf(format, args...)).Exec())
}

// each runs a statement for 0 to n-1, in batches of one partition each.
func each(t *testing.T, session *gocql.Session, cql string, n int, args func(i int) []any) {
	t.Helper()
	const batch = 200
	for first := 0; first < n; first += batch {
		b := session.NewBatch(gocql.UnloggedBatch)
		for i := first; i < min(first+batch, n); i++ {
			b.Query(cql, args(i)...)
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
}
