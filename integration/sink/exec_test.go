package sink_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestExecRunsOneStatementARow(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE counts (p bigint PRIMARY KEY, n counter)")
	var all []event
	for i := range 1000 {
		all = append(all, event{P: int64(i % 10), C: int32(i)})
	}
	rep := run(t, rows(all...), sink.Exec(session, "UPDATE "+ks+".counts SET n = n + ? WHERE p = ?",
		func(e event) ([]any, error) { return []any{int64(1), e.P}, nil }))
	require.EqualValues(t, 1000, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	for p := range 10 {
		var n int64
		require.NoError(t, session.Query("SELECT n FROM counts WHERE p = ?", p).Scan(&n))
		require.EqualValues(t, 100, n)
	}
}

func TestAnErrorOfExecNamesTheRowAndNoValue(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	all := []event{{P: 1}, {P: 2}, {P: 3}}
	broken := errors.New("broken")
	insert := "INSERT INTO " + ks + ".t (p, c) VALUES (?, ?)"
	for name, bind := range map[string]func(event) ([]any, error){
		"broken":            func(e event) ([]any, error) { return []any{e.P, 1}, map[bool]error{true: broken}[e.P == 3] },
		"takes 2 bound":     func(e event) ([]any, error) { return make([]any, 2+e.P/3), nil },
		"cannot be encoded": func(e event) ([]any, error) { return []any{e.P, map[bool]any{true: "secret", false: 1}[e.P == 3]}, nil },
	} {
		if name == "takes 2 bound" {
			bind = func(e event) ([]any, error) { return append([]any{e.P, 1}, make([]any, e.P/3)...), nil }
		}
		p, err := rxcql.New(rows(all...), sink.Exec(session, insert, bind))
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row, name)
		require.Equal(t, 2, row.Row)
		require.ErrorContains(t, err, name)
		require.NotContains(t, err.Error(), "secret")
		require.Zero(t, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	}
}

func TestExecRefusesToBindATupleAsAWhole(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (p bigint PRIMARY KEY, v tuple<int, int>)")
	bind := func(e event) ([]any, error) { return []any{e.P, 1}, nil }
	err := sink.Exec(session, "INSERT INTO "+ks+".t (p, v) VALUES (?, ?)", bind).Check(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "bind marker 2")
}

// Every type that is written in a way of its own goes there and back unchanged,
// as raw columns.
func TestRawColumnsOfEveryShapeGoThereAndBack(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TYPE udt (a int, b frozen<tuple<int, text>>)")
	const columns = `(p int, k frozen<tuple<int, text>>, s text static, flat tuple<int, text>, deep tuple<int, tuple<int, tuple<text, int>>>,
		single tuple<int>, many list<frozen<tuple<int, text>>>, m map<text, frozen<tuple<int, int>>>, u udt, fu frozen<udt>,
		vec vector<float, 3>, l list<int>, st set<text>, d duration, PRIMARY KEY (p, k))`
	create(t, session, "CREATE TABLE a "+columns, "CREATE TABLE b "+columns,
		`INSERT INTO a (p, k, flat, deep, single, many, m, u, fu, vec, l, st, d) VALUES (1, (1, 'k'), (1, 'x'), (1, (2, ('t', 3))), (7),
			[(1, 'a'), (null, 'b')], {'x': (1, null)}, {a: 1, b: (1, 'z')}, {a: 2, b: null}, [1, 2, 3], [3, 1, 2], {'q', 'r'}, 3d4h)`,
		`INSERT INTO a (p, k, flat, deep) VALUES (1, (2, null), (null, null), (null, (null, (null, null))))`,
		`INSERT INTO a (p, k, flat, deep) VALUES (1, (3, ''), null, (1, null))`,
		`INSERT INTO a (p, k, deep) VALUES (1, (4, 'k'), (1, (2, null)))`,
		`INSERT INTO a (p, k) VALUES (1, (null, 'only a key'))`,
		`INSERT INTO a (p, s) VALUES (2, 'a partition of a static column alone')`,
		`INSERT INTO a (p, s, k) VALUES (3, 'beside a row', (1, 'x'))`)
	for _, opts := range [][]sink.TableOption{nil, {sink.NullsDelete()}, {sink.BatchRows(1)}} {
		create(t, session, "TRUNCATE b")
		rep := run(t, source.Table[rxcql.Row](session, ks+".a"), sink.Table[rxcql.Row](session, ks+".b", opts...))
		require.EqualValues(t, 7, rep.Written)
		want, got := raw(t, ks+".a", session), raw(t, ks+".b", session)
		require.Len(t, want, 7)
		require.ElementsMatch(t, want, got)
	}
}

func raw(t *testing.T, table string, session *gocql.Session) (all [][][]byte) {
	t.Helper()
	_, err := source.Table[rxcql.Row](session, table).ForEach(context.Background(), func(r rxcql.Row) error {
		var cells [][]byte
		for i := range r.Len() {
			cells = append(cells, bytes.Clone(r.Bytes(i)))
		}
		all = append(all, cells)
		return nil
	})
	require.NoError(t, err)
	return all
}
