package times_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/source"
)

// A list is written later than its source has it: two years of age are 52 minutes.
func TestTransferAListThatIsNewerOnTheTargetStays(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	old := time.Now().Add(-2*365*24*time.Hour).UnixMicro() / 1000 * 1000
	const columns = " (p int, c int, s text STATIC, sl list<int> STATIC, v text, l list<int>, k list<int>, PRIMARY KEY (p, c))"
	exec(t, session, "CREATE TABLE src"+columns, "CREATE TABLE dst"+columns,
		"UPDATE src"+using(old, 0)+"SET sl = [1, 2], s = 's' WHERE p = 1",
		"INSERT INTO src (p, c, v, l, k) VALUES (1, 1, 'x', [1, 2], [3, 4])"+using(old, 0),
		"INSERT INTO src (p, c, v, l) VALUES (1, 2, 'deleted later at the target', [1, 2])"+using(old, 0),
		"INSERT INTO src (p, c, v, l) VALUES (1, 3, 'older at the target', [1, 2])"+using(old, 0),
		"INSERT INTO src (p, c, l) VALUES (1, 4, [5])"+using(old, 60000),
		"UPDATE dst"+using(old+60_000_000, 0)+"SET sl = [9], l = [7, 8] WHERE p = 1 AND c = 1",
		"DELETE FROM dst USING TIMESTAMP "+fmt.Sprint(old+60_000_000)+" WHERE p = 1 AND c = 2",
		"UPDATE dst"+using(old-1, 0)+"SET l = [6, 6, 6] WHERE p = 1 AND c = 3",
		"UPDATE src"+using(old, 60000)+"SET l = [1] WHERE p = 1 AND c = 5",
		"UPDATE src"+using(old, 0)+"SET l = l + [2] WHERE p = 1 AND c = 5",
		"UPDATE dst"+using(old+60_000_000, 0)+"SET l = [1] WHERE p = 1 AND c = 5")
	for range 2 {
		counts := copyTimes(t, source.Table[rxcql.Row](session, ks+".src", source.Times()), session, ks+".dst")
		require.EqualValues(t, 4, counts.ListsLeft, "a static one, two regular ones, and that of the row that is gone")
		require.Equal(t, map[int][]int{1: {7, 8}, 3: {1, 2}, 4: {5}, 5: {1}}, listsOf(t, session, "l"))
		require.Equal(t, []int{3, 4}, listsOf(t, session, "k")[1])
		require.Equal(t, []int{9}, listsOf(t, session, "sl")[1])
	}
}

// listsOf reads lists of the target by plain CQL.
func listsOf(t testing.TB, session *gocql.Session, column string) map[int][]int {
	t.Helper()
	all := map[int][]int{}
	iter := session.Query("SELECT c, " + column + " FROM dst WHERE p = 1").Iter()
	for {
		var c int
		var list []int
		if !iter.Scan(&c, &list) {
			break
		}
		all[c] = list
	}
	require.NoError(t, iter.Close())
	return all
}
