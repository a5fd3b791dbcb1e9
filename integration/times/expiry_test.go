package times_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestTransferWhatExpiresOnTheWayNeverBecomesPermanent(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	const columns = " (p int, c int, a text, m map<int, text>, l list<int>, PRIMARY KEY (p, c))"
	exec(t, session, "CREATE TABLE src"+columns, "CREATE TABLE dst"+columns+" WITH default_time_to_live = 100000")
	now := time.Now().UnixMicro()
	const short = 60
	for c := range 20 {
		exec(t, session, fmt.Sprintf("INSERT INTO src (p, c, a, m, l) VALUES (1, %d, 'x', {1: 'y'}, [1, 2])%s", c, using(now, short)))
	}
	exec(t, session, "INSERT INTO src (p, c, a) VALUES (1, 100, 'stays')"+using(now, 0),
		"UPDATE src"+using(now, short)+"SET m = {1: 'goes'} WHERE p = 1 AND c = 100",
		"INSERT INTO src (p, c, a) VALUES (1, 101, 'stays long')"+using(now, 40000))

	// The rows were read, and are written when they have expired. Their expiry is set back instead
	// of waiting for it, so the test takes no minute.
	rows, err := source.Table[rxcql.Row](session, ks+".src", source.Times()).Collect(context.Background())
	require.NoError(t, err)
	require.Len(t, rows, 22)
	for i := range rows {
		rows[i] = earlier(t, rows[i], short+1)
	}
	counts := copyTimes(t, source.Of(rows...), session, ks+".dst")
	require.EqualValues(t, 20*4+1, counts.Expired)
	left := contents(t, session, "dst", []string{"c"}, []string{"a", "m"}, nil, []string{"l"})
	require.Len(t, left, 2)
	require.Empty(t, left["0x00000064 "].expires["TTL(a)"], "it never expires, whatever the table's default is")
	require.Equal(t, "null", left["0x00000064 "].values["m"])
	require.InDelta(t, time.Now().Unix()+40000-short, left["0x00000065 "].expires["TTL(a)"][0], 30)
}

// earlier sets all expiries of a row back by so many seconds.
func earlier(t testing.TB, row rxcql.Row, seconds int64) rxcql.Row {
	t.Helper()
	one := func(b []byte) {
		n := int64(0)
		for _, x := range b {
			n = n<<8 | int64(x)
		}
		n -= seconds
		for i := range b {
			b[7-i] = byte(n >> (8 * i))
		}
	}
	row = row.Clone()
	for i, c := range row.Columns().List() {
		b := row.Bytes(i)
		switch {
		case b == nil || len(c.Name) < 8 || c.Name[:8] != "expires(":
		case len(b) == 8:
			one(b)
		default: // lists whose elements all expire
			for at := 4; at < len(b); at += 12 {
				one(b[at+4 : at+12])
			}
		}
	}
	return row
}

func TestTransferARowGoesWithItsSource(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE src (p int PRIMARY KEY, a text, l list<int>)",
		"CREATE TABLE dst (p int PRIMARY KEY, a text, l list<int>) WITH default_time_to_live = 100000",
		"INSERT INTO src (p, a, l) VALUES (1, 'x', [1, 2]) USING TTL 4", "INSERT INTO src (p, a) VALUES (2, 'stays')")
	copyTimes(t, source.Table[rxcql.Row](session, ks+".src", source.Times()), session, ks+".dst")
	for _, table := range []string{"src", "dst"} { // whatever is left of it now, it goes
		require.Eventually(t, func() bool {
			return session.Query("SELECT p FROM "+table+" WHERE p = 1").Iter().NumRows() == 0
		}, 3*time.Minute, 100*time.Millisecond, table)
	}
	require.Equal(t, 1, session.Query("SELECT p FROM dst").Iter().NumRows())
}

func TestTransferIntoFrozenColumnsTakesTheNewestTime(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE src (p int PRIMARY KEY, m map<int, text>, f frozen<set<int>>)",
		"CREATE TABLE dst (p int PRIMARY KEY, m frozen<map<int, text>>, f set<int>)",
		"UPDATE src"+using(1000, 0)+"SET m = {1: 'a'}, f = {1, 2} WHERE p = 1", "UPDATE src"+using(2000, 0)+"SET m = m + {2: 'b'} WHERE p = 1")
	counts := copyTimes(t, source.Table[rxcql.Row](session, ks+".src", source.Times()), session, ks+".dst")
	require.EqualValues(t, 1, counts.Joined)
	var m map[int]string
	var f []int
	var time int64
	var times []int64
	require.NoError(t, session.Query("SELECT m, WRITETIME(m), f, WRITETIME(f) FROM dst").Scan(&m, &time, &f, &times))
	require.Equal(t, map[int]string{1: "a", 2: "b"}, m)
	require.EqualValues(t, 2000, time)
	require.Equal(t, []int{1, 2}, f)
	require.Equal(t, []int64{1000, 1000}, times)
}

func TestUntimedColumnsAreThoseThatAreAdded(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE src (p int PRIMARY KEY, a text, b text)", "CREATE TABLE dst (p int PRIMARY KEY, a text, b text)",
		"INSERT INTO src (p, a, b) VALUES (1, 'x', 'y')"+using(1000, 5000))
	in := source.Table[rxcql.Row](session, ks+".src", source.Times(), source.Columns("p", "a"))
	copyTimes(t, in, session, ks+".dst", sink.MarkerTime(time.UnixMicro(1)))
	var a, b *string
	require.NoError(t, session.Query("SELECT a, b FROM dst").Scan(&a, &b))
	require.Equal(t, "x", *a)
	require.Nil(t, b)
}
