package sink_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type event struct {
	P int64   `cql:"p"`
	C int32   `cql:"c"`
	V *string `cql:"v"`
}

const eventColumns = "(p bigint, c int, v text, PRIMARY KEY (p, c))"

func text(s string) *string { return &s }

func rows[T any](all ...T) rxcql.Stream[T] {
	return source.Seq(func(yield func(T, error) bool) {
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	})
}

func create(t *testing.T, session *gocql.Session, cql ...string) {
	t.Helper()
	for _, c := range cql {
		require.NoError(t, session.Query(c).Exec())
	}
}

// observer counts the statements of requests as the session's observers see them.
type observer struct {
	mu       sync.Mutex
	requests []int // rows each
}

func (o *observer) ObserveBatch(_ context.Context, b gocql.ObservedBatch) { o.add(len(b.Statements)) }

func (o *observer) ObserveQuery(_ context.Context, q gocql.ObservedQuery) {
	if n := strings.Count(q.Statement, "INSERT INTO"); n > 0 {
		o.add(n)
	}
}

func (o *observer) add(rows int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = append(o.requests, rows)
}

func observed(o *observer) cassandra.KeyspaceOption {
	return cassandra.Configure(func(c *gocql.ClusterConfig) { c.BatchObserver, c.QueryObserver = o, o })
}

func TestRowsGoAsOneRequestAPartitionWithinTheBounds(t *testing.T) {
	o := &observer{}
	session, ks := cassandra.Keyspace(t, cluster, observed(o))
	create(t, session, "CREATE TABLE t "+eventColumns)
	var all []event
	for p := range 20 {
		for c := range 250 {
			all = append(all, event{int64(p), int32(c), text("v")})
		}
	}
	all = append(all, event{99, 0, text("alone")})
	rep := run(t, rows(all...), sink.Table[event](session, ks+".t", sink.BatchLinger(time.Minute)))
	require.EqualValues(t, len(all), rep.Written)
	sizes := map[int]int{}
	for _, n := range o.requests {
		sizes[n]++
	}
	require.Equal(t, map[int]int{100: 40, 50: 20, 1: 1}, sizes)

	back, err := source.Table[event](session, ks+".t").Collect(context.Background())
	require.NoError(t, err)
	require.ElementsMatch(t, all, back)
}

func TestAnOversizedRowGoesAloneAndArrives(t *testing.T) {
	o := &observer{}
	session, ks := cassandra.Keyspace(t, cluster, observed(o))
	create(t, session, "CREATE TABLE t "+eventColumns)
	large := text(strings.Repeat("x", 3<<20))
	run(t, rows(event{1, 0, text("a")}, event{1, 1, large}, event{1, 2, text("c")}), sink.Table[event](session, ks+".t"))
	require.ElementsMatch(t, []int{1, 1, 1}, o.requests)
	var got string
	require.NoError(t, session.Query("SELECT v FROM t WHERE p = 1 AND c = 1").Scan(&got))
	require.Len(t, got, 3<<20)
}

func TestOneRowThatTheServerRefusesCostsOneRow(t *testing.T) {
	type long struct {
		P int64  `cql:"p"`
		C string `cql:"c"`
		V int64  `cql:"v"`
	}
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (p bigint, c text, v bigint, PRIMARY KEY (p, c))")
	var all []long
	for c := range 100 {
		all = append(all, long{1, fmt.Sprint("key ", c), int64(c)})
	}
	all[63].C = strings.Repeat("k", 70_000) // a key may have 65,535 bytes
	p, err := rxcql.New(rows(all...), sink.Table[long](session, ks+".t", sink.BatchBytes(1<<20)))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	var row *rxcql.RowError
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Table "+ks+".t", stage.Stage)
	require.ErrorAs(t, err, &row)
	require.Equal(t, 63, row.Row)
	require.EqualValues(t, 99, rep.Written)
	n, err := source.Table[long](session, ks+".t").Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 99, n)
}

func TestANullLeavesTheColumnAndNullsDeleteDeletesIt(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	value := func() (v *string) {
		require.NoError(t, session.Query("SELECT v FROM t WHERE p = 1 AND c = 1").Scan(&v))
		return v
	}
	run(t, rows(event{1, 1, text("old")}), sink.Table[event](session, ks+".t"))
	run(t, rows(event{1, 1, nil}), sink.Table[event](session, ks+".t"))
	require.Equal(t, "old", *value())
	run(t, rows(event{1, 1, nil}), sink.Table[event](session, ks+".t", sink.NullsDelete()))
	require.Nil(t, value())
}

func TestTwoUpdatesOfOneKeyEndAsTheLater(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns, "CREATE TABLE lists (p bigint, c int, v list<int>, PRIMARY KEY (p, c))")
	type listed struct {
		P int64   `cql:"p"`
		C int32   `cql:"c"`
		V []int32 `cql:"v"`
	}
	for round := range 100 {
		var all []event
		var lists []listed
		for i := range 200 { // at up to 3 a batch more than the 64 batches that may be in flight
			all = append(all, event{int64(round), 1, text(fmt.Sprint(999 - i))}) // by value the first would win
			lists = append(lists, listed{int64(round), 1, []int32{int32(i), int32(-i)}})
		}
		run(t, rows(all...), sink.Table[event](session, ks+".t", sink.BatchRows(1+round%3)))
		var v string
		require.NoError(t, session.Query("SELECT v FROM t WHERE p = ?", round).Scan(&v))
		require.Equal(t, "800", v)

		run(t, rows(lists...), sink.Table[listed](session, ks+".lists", sink.BatchRows(1+round%3)))
		var l []int
		require.NoError(t, session.Query("SELECT v FROM lists WHERE p = ?", round).Scan(&l))
		require.Equal(t, []int{199, -199}, l)
	}
}

func TestNamesAreExact(t *testing.T) {
	type odd struct {
		ID    int64  `cql:"Id"`
		Order string `cql:"order"`
		Quote string `cql:"a \"b\""`
	}
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, `CREATE TABLE "Select" ("Id" bigint PRIMARY KEY, "order" text, "a ""b""" text)`)
	run(t, rows(odd{1, "o", "q"}), sink.Table[odd](session, ks+`."Select"`))
	back, err := source.Table[odd](session, ks+`."Select"`).Collect(context.Background())
	require.NoError(t, err)
	require.Equal(t, []odd{{1, "o", "q"}}, back)
}

func TestTTLTimestampAndDelete(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	about := func(c int) (ttl *int, at int64) {
		require.NoError(t, session.Query("SELECT TTL(v), WRITETIME(v) FROM t WHERE p = 1 AND c = ?", c).Scan(&ttl, &at))
		return ttl, at
	}
	run(t, rows(event{1, 1, text("v")}), sink.Table[event](session, ks+".t", sink.TTL(time.Hour),
		sink.TimestampOf(func(event) int64 { return 12345 })))
	ttl, at := about(1)
	require.InDelta(t, 3600, *ttl, 60)
	require.EqualValues(t, 12345, at)
	run(t, rows(event{1, 2, text("v")}, event{1, 3, text("v")}), sink.Table[event](session, ks+".t",
		sink.TTLOf(func(e event) time.Duration { return time.Duration(e.C-2) * time.Hour })))
	ttl, _ = about(2)
	require.Nil(t, ttl)
	ttl, _ = about(3)
	require.InDelta(t, 3600, *ttl, 60)

	// With a timestamp below the rows' a delete does nothing; the run's own is above.
	del := []event{{P: 1, C: 2}, {P: 1, C: 3}}
	run(t, rows(del...), sink.Table[event](session, ks+".t", sink.Delete(), sink.TimestampOf(func(event) int64 { return 1 })))
	n, err := source.Table[event](session, ks+".t").Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	run(t, rows(del...), sink.Table[event](session, ks+".t", sink.Delete()))
	n, err = source.Table[event](session, ks+".t").Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func TestASingleValueIsATableOfOneColumn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE ids (id bigint PRIMARY KEY)")
	run(t, rows[int64](1, 2, 3), sink.Table[int64](session, ks+".ids", sink.Columns("id")))
	n, err := source.Table[int64](session, ks+".ids", source.Columns("id")).Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
}
