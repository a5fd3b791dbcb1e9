package sink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
)

func TestExecEncodesForTheTypesThatATableHasNowInALivingSession(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TYPE u (a int, b text)", "CREATE TABLE t (p bigint PRIMARY KEY, v frozen<u>)")
	insert := func(value func(event) any, all ...event) {
		t.Helper()
		bind := func(e event) ([]any, error) { return []any{e.P, value(e)}, nil }
		rep := run(t, rows(all...), sink.Exec(session, "INSERT INTO "+ks+".t (p, v) VALUES (?, ?)", bind))
		require.EqualValues(t, len(all), rep.Written)
	}
	type before struct {
		A int    `cql:"a"`
		B string `cql:"b"`
	}
	insert(func(event) any { return before{1, "b"} }, event{P: 1})

	create(t, session, "ALTER TYPE u ADD c int", "ALTER TYPE u RENAME b TO renamed")
	type after struct {
		A       int    `cql:"a"`
		Renamed string `cql:"renamed"`
		C       int    `cql:"c"`
	}
	insert(func(event) any { return after{1, "b", 3} }, event{P: 2})
	var got map[string]any
	require.NoError(t, session.Query("SELECT v FROM t WHERE p = 2").Scan(&got))
	require.Equal(t, map[string]any{"a": 1, "renamed": "b", "c": 3}, got)

	// Of these every one fits what the driver has prepared the text for before, or does not.
	for _, made := range []struct {
		typ   string
		value any
	}{{"int", 7}, {"text", "seven"}, {"list<text>", []string{"7"}}, {"blob", []byte{7}}, {"text", "7"}, {"int", "7"}} {
		create(t, session, "DROP TABLE t", "CREATE TABLE t (p bigint PRIMARY KEY, v "+made.typ+")")
		insert(func(event) any { return made.value }, event{P: 3}, event{P: 4})
		n := 0
		require.NoError(t, session.Query("SELECT count(*) FROM t").Scan(&n))
		require.Equal(t, 2, n)
	}
	var seven int
	require.NoError(t, session.Query("SELECT v FROM t WHERE p = 4").Scan(&seven))
	require.Equal(t, 7, seven)
}
