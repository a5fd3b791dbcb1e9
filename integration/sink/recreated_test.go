package sink_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// changing is a source of rows that calls change before row number at, when all rows
// before it have been written; at the number of rows is after the last.
type changing[T any] struct {
	rows   []T
	at     int
	change func()

	written atomic.Int64
	more    chan struct{}
}

func (c *changing[T]) rowsWritten(_ context.Context, e rxcql.WrittenEvent) {
	c.written.Add(int64(e.Rows))
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *changing[T]) yieldAll(yield func(T, error) bool) {
	for i := range len(c.rows) + 1 {
		if i == c.at {
			for c.written.Load() < int64(i) {
				<-c.more
			}
			c.change()
		}
		if i < len(c.rows) && !yield(c.rows[i], nil) {
			return
		}
	}
}

// intoChanging writes rows into a sink and changes something in the middle of that.
func intoChanging[T any](t *testing.T, to rxcql.Sink[T], rows []T, at int, change func(), opts ...rxcql.Option) (rxcql.Report, error) {
	t.Helper()
	c := &changing[T]{rows: rows, at: at, change: change, more: make(chan struct{}, 1)}
	// A page a row, so that what has been yielded is on its way to the sink.
	p, err := rxcql.New(source.Seq(c.yieldAll, source.PageRows(1)), to, append(opts, rxcql.WithHooks(rxcql.Hooks{RowsWritten: c.rowsWritten}))...)
	require.NoError(t, err)
	return p.Run(t.Context())
}

type pair struct {
	ID int64 `cql:"id"`
	V  int32 `cql:"v"`
}

func pairs(n int) (all []pair) {
	for i := range n {
		all = append(all, pair{int64(i), 0x41424344})
	}
	return all
}

func count(t *testing.T, session *gocql.Session, table string) (n int) {
	t.Helper()
	require.NoError(t, session.Query("SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// targets are the ways to write pairs into a table.
func targets(session *gocql.Session, table string) map[string]rxcql.Sink[pair] {
	bind := func(p pair) ([]any, error) { return []any{p.V, p.ID}, nil }
	return map[string]rxcql.Sink[pair]{
		"Table": sink.Table[pair](session, table, sink.InFlight(1)),
		"Exec":  sink.Exec(session, "UPDATE "+table+" SET v = ? WHERE id = ?", bind, sink.Idempotent(), sink.InFlight(1)),
		"Exec of a batch": sink.Exec(session, "BEGIN BATCH UPDATE "+table+" SET v = ? WHERE id = ?; APPLY BATCH", bind,
			sink.Idempotent(), sink.InFlight(1)),
	}
}

func refusedAsChanged(t *testing.T, rep rxcql.Report, err error) {
	t.Helper()
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.NotErrorIs(t, err, rxcql.ErrUnknownOutcome)
	require.False(t, rep.Complete)
	require.Zero(t, rep.Unknown)
	require.Zero(t, rep.Skipped)
	require.Zero(t, rep.BytesInFlight)
}

func TestATargetThatIsDroppedAndMadeAgainIsNotTakenForTheOldOne(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	const made = "(id bigint PRIMARY KEY, v int)"
	for name, at := range map[string]int{"in the midst": 100, "after the last row": 200} {
		create(t, session, "CREATE TABLE t "+made)
		for sinkName, to := range targets(session, ks+".t") {
			t.Run(sinkName+" "+name, func(t *testing.T) {
				rep, err := intoChanging(t, to, pairs(200), at, func() {
					create(t, session, "DROP TABLE t", "CREATE TABLE t "+made)
				}, rxcql.WithRowErrors(rxcql.SkipRows(1000)))
				refusedAsChanged(t, rep, err)
				require.ErrorContains(t, err, "was dropped and made again while it was written")
				require.Zero(t, count(t, session, "t"), "nothing was sent to the new table")
				require.EqualValues(t, at, rep.Written)
			})
		}
		create(t, session, "DROP TABLE t")
	}
}

// Four bytes are a value of many types: a session that writes on would fill the new
// table with values that nobody gave it.
func TestBytesOfTheOldTypeAreNotWrittenIntoTheNewTable(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, typ := range []string{"text", "blob", "float", "date"} {
		create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
		for name, to := range targets(session, ks+".t") {
			t.Run(typ+" "+name, func(t *testing.T) {
				rep, err := intoChanging(t, to, pairs(40), 20, func() {
					create(t, session, "DROP TABLE t", "CREATE TABLE t (id bigint PRIMARY KEY, v "+typ+")")
				}, rxcql.WithRowErrors(rxcql.SkipRows(1000)))
				refusedAsChanged(t, rep, err)
				require.Zero(t, count(t, session, "t"))
			})
			create(t, session, "DROP TABLE t", "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
		}
		create(t, session, "DROP TABLE t")
	}
}

// Many requests at once: whichever of them meets the new table first.
func TestBatchesAndManyAtOnceEndWithTheTableToo(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (p bigint, c int, v text, x tuple<int, text>, PRIMARY KEY (p, c))")
	type wide struct {
		P int64   `cql:"p"`
		C int32   `cql:"c"`
		V *string `cql:"v"`
		X *struct {
			A int32
			B string
		} `cql:"x"`
	}
	for _, opts := range [][]sink.TableOption{nil, {sink.BatchRows(7)}, {sink.NullsDelete()}} {
		var all []wide
		for i := range 3000 {
			row := wide{P: int64(i / 10), C: int32(i % 10), V: text("v")}
			if i%3 == 0 { // so that batches are of statements of several shapes
				row.X = &struct {
					A int32
					B string
				}{int32(i), "b"}
			}
			all = append(all, row)
		}
		rep, err := intoChanging(t, sink.Table[wide](session, ks+".t", opts...), all, 1500, func() {
			create(t, session, "DROP TABLE t", "CREATE TABLE t (p bigint, c int, v text, x tuple<int, text>, PRIMARY KEY (p, c))")
		})
		refusedAsChanged(t, rep, err)
		require.ErrorContains(t, err, "dropped and made again")
		// Requests that were on their way while one of them had the statement prepared
		// again may have been taken: no more than are in flight.
		require.LessOrEqual(t, count(t, session, "t"), sink.DefaultInFlight*10)
	}
}

// gocql keeps what the server once said of a text for as long as the session lives.
func TestASessionThatKnewTheOldTableWritesTheNewOne(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	type texts struct {
		ID int64  `cql:"id"`
		V  string `cql:"v"`
	}
	cql := "INSERT INTO " + ks + ".t (id, v) VALUES (?, ?)"
	create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
	run(t, rows(pairs(10)...), sink.Table[pair](session, ks+".t"))
	run(t, rows(pairs(10)...), sink.Exec(session, cql, func(p pair) ([]any, error) { return []any{p.ID, p.V}, nil }))
	create(t, session, "DROP TABLE t", "CREATE TABLE t (id bigint PRIMARY KEY, v text)")
	all := []texts{{1, "one"}, {2, "two"}}
	run(t, rows(all...), sink.Table[texts](session, ks+".t"))
	run(t, rows(texts{3, "three"}), sink.Exec(session, cql, func(r texts) ([]any, error) { return []any{r.ID, r.V}, nil }))
	got, err := source.Table[texts](session, ks+".t").Collect(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, append(all, texts{3, "three"}), got)
}

func TestABatchOverTwoTablesKnowsBoth(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int)", "CREATE TABLE u (id bigint PRIMARY KEY, v int)")
	to := sink.Exec(session, fmt.Sprintf("BEGIN BATCH INSERT INTO %[1]s.t (id, v) VALUES (?, ?); INSERT INTO %[1]s.u (id, v) VALUES (?, ?); APPLY BATCH", ks),
		func(p pair) ([]any, error) { return []any{p.ID, p.V, p.ID, p.V}, nil }, sink.Idempotent())
	for _, table := range []string{"u", "t"} {
		for _, at := range []int{20, 40} {
			rep, err := intoChanging(t, to, pairs(40), at, func() {
				create(t, session, "DROP TABLE "+table, "CREATE TABLE "+table+" (id bigint PRIMARY KEY, v int)")
			})
			refusedAsChanged(t, rep, err)
			require.ErrorContains(t, err, `"`+table+`" was dropped and made again`)
		}
	}
}

func TestAJobWhoseTargetIsMadeAgainEndsAndDoesNotGoOn(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	store := &jobtest.Store{}
	table := sink.Table[event](session, ks+".t")
	remade := false
	// A sink that comes after all that was read has been taken, and before the table is asked for.
	err := job(t, 0, sink.Tee(sink.Each(func(_ context.Context, e event) error {
		if e.P == 1999 && !remade {
			remade = true
			create(t, session, "DROP TABLE t", "CREATE TABLE t "+eventColumns)
		}
		return nil
	}, sink.Idempotent()), table), store)
	require.ErrorIs(t, err, rxcql.ErrSchema)
	// Rows that are on their way when the table is dropped may be refused before it is made again.
	require.Regexp(t, "made again|table t does not exist", err.Error())
	err = job(t, 0, sink.Tee(sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent()), table), store)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
}

// The server says of bind markers, and of nothing else, which tables they are of.
func TestExecKnowsTablesWithoutBoundValuesToo(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	const made = " (id bigint PRIMARY KEY, v int)"
	create(t, session, "CREATE TABLE t"+made, `CREATE TABLE "From"`+made)
	both := func(p pair) ([]any, error) { return []any{p.V, p.ID}, nil }
	none := func(pair) ([]any, error) { return nil, nil }
	for _, c := range []struct {
		cql   string
		table string
		bind  func(pair) ([]any, error)
	}{
		{"UPDATE " + ks + ".t SET v = 1 WHERE id = 0", "t", none},
		{"insert into t (id, v) values (0, 1)", "t", none},
		{`INSERT INTO "From" JSON '{"id": 0, "v": 1}'`, `"From"`, none},
		{"DELETE v FROM t WHERE id = 0", "t", none},
		{`BEGIN BATCH UPDATE t SET v = ? WHERE id = ?; INSERT INTO "From" (id, v) VALUES (0, 1); APPLY BATCH`, `"From"`, both},
	} {
		for _, at := range []int{20, 40} {
			to := sink.Exec(session, c.cql, c.bind, sink.Idempotent(), sink.InFlight(1))
			rep, err := intoChanging(t, to, pairs(40), at, func() {
				create(t, session, "DROP TABLE "+c.table, "CREATE TABLE "+c.table+made)
			})
			refusedAsChanged(t, rep, err)
			require.ErrorContains(t, err, "was dropped and made again", c.cql)
			require.EqualValues(t, at, rep.Written, c.cql)
			require.Zero(t, count(t, session, c.table), c.cql)
		}
	}
}
