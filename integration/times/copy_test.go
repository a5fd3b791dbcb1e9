package times_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const tortureColumns = ` (p int, "C" text, s text static, sm map<text, int> static, sl list<int> static, a text, b int, "Mixed" bigint,
	f frozen<list<int>>, tup tuple<int, text>, m map<text, text>, st set<int>, l list<text>, u address, v vector<float, 3>, d duration, n varint,
	PRIMARY KEY (p, "C"))`

var (
	tortureKeys  = []string{"p", `"C"`}
	tortureOwn   = []string{"s", "sm", "a", "b", `"Mixed"`, "f", "m", "st", "u", "v", "d", "n"}
	tortureTuple = []string{"tup"}
	tortureLists = []string{"l", "sl"}
)

func read(t testing.TB, session *gocql.Session, table string) map[string]kept {
	t.Helper()
	return contents(t, session, table, tortureKeys, tortureOwn, tortureTuple, tortureLists)
}

// torture makes a table with values of many kinds, times and expiries, and an empty one, whose
// default time to live must not be taken.
func torture(t testing.TB) (session *gocql.Session, ks string) {
	t.Helper()
	session, ks = cassandra.Keyspace(t, cluster)
	exec(t, session, `CREATE TYPE address (street text, "No" int, extra frozen<tuple<int, text>>)`,
		"CREATE TABLE src"+tortureColumns, "CREATE TABLE dst"+tortureColumns+" WITH default_time_to_live = 5000000")
	now := time.Now().UnixMicro()
	old := now - 30*24*int64(time.Hour/time.Microsecond)
	exec(t, session,
		// One time, no expiry; the next one with an expiry.
		`INSERT INTO src (p, "C", a, b, "Mixed", f, tup, v, d, n) VALUES (1, 'one', 'a', 1, 2, [1, 2], (1, 'x'), [1, 2, 3], 1mo2d3ns, 123456789012345678901234567890)`+using(old, 0),
		`INSERT INTO src (p, "C", a, b) VALUES (1, 'expires', 'a', 1)`+using(old+1, 5000),
		// Values of several times and expiries.
		`INSERT INTO src (p, "C", a, b, "Mixed", tup) VALUES (1, 'several', 'a', 1, 2, (null, 'y'))`+using(old, 0),
		`UPDATE src`+using(old+10, 7000)+`SET b = 5 WHERE p = 1 AND "C" = 'several'`,
		`UPDATE src`+using(old+20, 9000)+`SET f = [] WHERE p = 1 AND "C" = 'several'`,
		`UPDATE src`+using(old+20, 9000)+`SET "Mixed" = 9, m = m + {'z': 'Z'} WHERE p = 1 AND "C" = 'several'`,
		// Elements of all kinds, by their own times and expiries.
		`UPDATE src`+using(old, 0)+`SET m = {'k1': 'v1', 'k2': 'v2', 'k3': 'v3'}, st = {1, 2, 3}, u = {street: 'S', "No": 7} WHERE p = 2 AND "C" = 'elements'`,
		`UPDATE src`+using(old+5, 6000)+`SET m = m + {'k2': 'new', 'k4': 'v4'}, st = st + {3, 4}, u.extra = (1, 'e') WHERE p = 2 AND "C" = 'elements'`,
		`UPDATE src`+using(old+6, 0)+`SET u."No" = 8 WHERE p = 2 AND "C" = 'elements'`,
		`DELETE m['k3'] FROM src USING TIMESTAMP `+fmt.Sprint(old+7)+` WHERE p = 2 AND "C" = 'elements'`,
		// Lists: elements of several times and expiries, and one that is as old as now.
		`UPDATE src`+using(old, 0)+`SET l = ['x', 'x', 'y'] WHERE p = 3 AND "C" = 'list'`,
		`UPDATE src`+using(old+5, 6000)+`SET l = l + ['z', 'x'] WHERE p = 3 AND "C" = 'list'`,
		`UPDATE src`+using(old+9, 0)+`SET l = ['first'] + l WHERE p = 3 AND "C" = 'list'`,
		`INSERT INTO src (p, "C", l, a) VALUES (3, 'fresh', ['q'], 'a')`,
		// Static columns, with rows and alone, with times of their own.
		`UPDATE src`+using(old, 0)+`SET s = 'static', sm = {'a': 1} WHERE p = 1`,
		`UPDATE src`+using(old+3, 4000)+`SET sm = sm + {'b': 2}, sl = [1, 2, 3] WHERE p = 1`,
		`UPDATE src`+using(old+4, 8000)+`SET s = 'alone' WHERE p = 4`,
		// Keys alone.
		`INSERT INTO src (p, "C") VALUES (5, 'key only')`+using(old, 0),
		`INSERT INTO src (p, "C") VALUES (5, '')`+using(old, 0),
		`INSERT INTO src (p, "C", a) VALUES (6, 'empty', '')`+using(old, 0))
	return session, ks
}

func copyTimes(t testing.TB, in rxcql.Stream[rxcql.Row], session *gocql.Session, table string, opts ...sink.TimesOption) sink.TimesReport {
	t.Helper()
	counts := new(sink.TimesCounts)
	p, err := rxcql.New(in, sink.Table[rxcql.Row](session, table, sink.Times(append(opts, sink.CountTimes(counts))...)))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return counts.Report()
}

func TestTransferTimesOfEveryKindOfValue(t *testing.T) {
	session, ks := torture(t)
	want := read(t, session, "src")
	require.Len(t, want, 10)
	all := func() rxcql.Stream[rxcql.Row] { return source.Table[rxcql.Row](session, ks+".src", source.Times()) }
	counts := copyTimes(t, all(), session, ks+".dst")
	equal(t, want, read(t, session, "dst"))
	require.EqualValues(t, 2, counts.KeyOnlyRows)
	require.EqualValues(t, 7, counts.GuessedMarkers)
	require.EqualValues(t, 3, counts.Lists)
	require.Zero(t, counts.Untimed+counts.Joined+counts.Expired)

	copyTimes(t, all(), session, ks+".dst")
	equal(t, want, read(t, session, "dst"))

	t.Run("a pair of both tables has no difference", func(t *testing.T) {
		pairs := source.TablePair[rxcql.Row, rxcql.Row](session, ks+".src", session, ks+".dst", source.Times())
		found, err := operators.Filter(pairs, func(p rxcql.Pair[rxcql.Row, rxcql.Row]) bool { return !p.Both() || differs(p.Left, p.Right) }).Collect(context.Background())
		require.NoError(t, err)
		require.Empty(t, found)
	})

	t.Run("what is newer on the target stays", func(t *testing.T) {
		exec(t, session, `UPDATE dst SET a = 'newer', l = ['newer'], m['k1'] = 'newer' WHERE p = 1 AND "C" = 'one'`)
		before := read(t, session, "dst")
		copyTimes(t, all(), session, ks+".dst")
		equal(t, before, read(t, session, "dst"))
	})
}

// differs compares what a pair has of two rows: bytes, and which values expire. Write times of
// lists are left out, and expiries are compared by the independent reader.
func differs(a, b rxcql.Row) bool {
	for i, c := range a.Columns().List() {
		switch {
		case c.Name == "writetime(l)" || c.Name == "writetime(sl)":
		case strings.HasPrefix(c.Name, "expires("):
			if (a.Bytes(i) == nil) != (b.Bytes(i) == nil) || len(a.Bytes(i)) != len(b.Bytes(i)) {
				return true
			}
		case string(a.Bytes(i)) != string(b.Bytes(i)):
			return true
		}
	}
	return a.Len() != b.Len()
}

func TestTransferMarkersDecideWhetherARowStays(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, name := range []string{"src", "guessed", "none"} {
		exec(t, session, "CREATE TABLE "+name+" (p int PRIMARY KEY, a text)")
	}
	exec(t, session, "INSERT INTO src (p, a) VALUES (1, 'x')", "INSERT INTO src (p) VALUES (2)")
	all := source.Table[rxcql.Row](session, ks+".src", source.Times())
	copyTimes(t, all, session, ks+".guessed")
	copyTimes(t, all, session, ks+".none", sink.Markers(sink.MarkersNone))
	for name, rows := range map[string]int{"guessed": 2, "none": 1} {
		exec(t, session, "DELETE a FROM "+name+" WHERE p = 1")
		require.Equal(t, rows, session.Query("SELECT p FROM "+name).Iter().NumRows(), name)
	}
}

func TestTransferAMapWhoseElementsWereAllWrittenApart(t *testing.T) {
	const elements = 2500 // more than a request has statements
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE src (p int PRIMARY KEY, m map<int, text>)", "CREATE TABLE dst (p int PRIMARY KEY, m map<int, text>)")
	for from := 0; from < elements; from += 500 {
		b := session.NewBatch(gocql.UnloggedBatch)
		for i := from; i < from+500; i++ {
			b.Query("UPDATE src USING TIMESTAMP ? AND TTL ? SET m = m + ? WHERE p = 1", int64(1000+i), 1000+i%3*1000, map[int]string{i: "v"})
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
	copyTimes(t, source.Table[rxcql.Row](session, ks+".src", source.Times()), session, ks+".dst")
	get := func(table string) map[string]kept {
		return contents(t, session, table, []string{"p"}, []string{"m"}, nil, nil)
	}
	equal(t, get("src"), get("dst"))
}

func TestTransferCountersAndTypesWithoutTimesAreRefused(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE counted (p int PRIMARY KEY, n counter)")
	p, err := rxcql.New(source.Table[rxcql.Row](session, ks+".counted", source.Times()), sink.Table[rxcql.Row](session, ks+".counted", sink.Times()))
	require.NoError(t, err)
	err = p.Check(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "counter table")
	type row struct {
		P int32 `cql:"p"`
	}
	_, err = rxcql.New(source.Table[row](session, ks+".counted", source.Times()), sink.Table[row](session, ks+".counted"))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "Times: rows must be rxcql.Row")
	untimed, err := source.UntimedColumns(context.Background(), session, ks+".counted")
	require.NoError(t, err)
	require.Empty(t, untimed)
}
