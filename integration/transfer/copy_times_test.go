package transfer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// timesOf reads write times by plain CQL, as text, in no order.
func timesOf(t testing.TB, session *gocql.Session, cql string) []string {
	t.Helper()
	lines := []string{}
	iter := session.Query(cql).Iter()
	for row := map[string]any{}; iter.MapScan(row); row = map[string]any{} {
		lines = append(lines, fmt.Sprint(row))
	}
	require.NoError(t, iter.Close())
	slices.Sort(lines)
	return lines
}

func TestTransferCopyWithTimesKeepsThemAndWhatIsNewerStays(t *testing.T) {
	source, from := cassandra.Keyspace(t, cluster)
	target, to := cassandra.Keyspace(t, cluster)
	run(t, source, "CREATE TABLE t (p int, c int, s text static, v text, w int, m map<text, int>, PRIMARY KEY (p, c)) WITH default_time_to_live = 864000",
		"INSERT INTO t (p, c, v) VALUES (1, 1, 'old') USING TIMESTAMP 1000 AND TTL 5000",
		"UPDATE t USING TIMESTAMP 2000 AND TTL 0 SET w = 7 WHERE p = 1 AND c = 1",
		"UPDATE t USING TIMESTAMP 3000 AND TTL 9000 SET m['a'] = 1 WHERE p = 1 AND c = 1",
		"UPDATE t USING TIMESTAMP 4000 AND TTL 0 SET m['b'] = 2 WHERE p = 1 AND c = 1",
		"INSERT INTO t (p, s) VALUES (2, 'alone') USING TIMESTAMP 5000 AND TTL 0",
		"INSERT INTO t (p, c, v) VALUES (3, 1, 'source') USING TIMESTAMP 6000 AND TTL 0")
	job := func() transfer.CopyReport {
		return copied(t, source, target, from+".t", to+".t", transfer.Create(), transfer.WithTimes(), transfer.Rename("w", "renamed"), transfer.WithSplits(4))
	}
	job()
	run(t, target, "INSERT INTO t (p, c, v) VALUES (3, 1, 'newer') USING TIMESTAMP 7000 AND TTL 0")
	rep := job()
	require.NotNil(t, rep.Times)
	require.Positive(t, rep.Times.GuessedMarkers)

	require.Equal(t, timesOf(t, source, "SELECT p, c, WRITETIME(s) AS s, WRITETIME(w) AS w, WRITETIME(m) AS m FROM t"),
		timesOf(t, target, "SELECT p, c, WRITETIME(s) AS s, WRITETIME(renamed) AS w, WRITETIME(m) AS m FROM t"))
	var v string
	require.NoError(t, target.Query("SELECT v FROM t WHERE p = 3 AND c = 1").Scan(&v))
	require.Equal(t, "newer", v)

	var there, here, never *int
	require.NoError(t, source.Query("SELECT TTL(v) FROM t WHERE p = 1 AND c = 1").Scan(&there))
	asked := time.Now()
	require.NoError(t, target.Query("SELECT TTL(v), TTL(renamed) FROM t WHERE p = 1 AND c = 1").Scan(&here, &never))
	require.Nil(t, never, "a default of the target must not make it expire")
	require.InDelta(t, *there, *here, 2+time.Since(asked).Seconds())
}
