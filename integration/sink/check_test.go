package sink_test

import (
	"context"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
)

func TestCheckReportsEverythingAtOnce(t *testing.T) {
	type wrong struct {
		P    int64   `cql:"p"`
		V    float64 `cql:"v"`
		Vlue string  `cql:"vv"`
	}
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns, "CREATE TABLE counts (p bigint PRIMARY KEY, n counter)")
	check := func(s interface{ Check(context.Context) error }) error {
		err := s.Check(context.Background())
		require.ErrorIs(t, err, rxcql.ErrSchema)
		return err
	}
	err := check(sink.Table[wrong](session, ks+".t"))
	for _, want := range []string{`no column "vv"; did you mean "v"`, `column "c" (int) is of the primary key`, `column "v" (text)`, "V", "float64"} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, check(sink.Table[event](session, ks+".tt")), "did you mean t?")
	require.ErrorContains(t, check(sink.Table[event](session, ks+"x.t")), "no such keyspace")
	type count struct {
		P int64 `cql:"p"`
		N int64 `cql:"n"`
	}
	require.ErrorContains(t, check(sink.Table[count](session, ks+".counts")), "sink.Exec")
	require.ErrorContains(t, check(sink.Table[rxcql.Row](session, ks+".t", sink.Columns("p", "x"))), `no column "x"`)
	require.ErrorContains(t, check(sink.Exec(session, "INSERT INTO "+ks+".nix (p) VALUES (?)", bindP)), "nix")
	require.ErrorContains(t, check(sink.Exec(session, "INSERT INTOO", bindP)), "sink.Exec")
	require.ErrorIs(t, sink.Exec(session, "TRUNCATE t", bindP).Check(context.Background()), rxcql.ErrConfig)
}

func bindP(e event) ([]any, error) { return []any{e.P}, nil }

func TestAConsistencyThatTheServerRefusesEndsTheRunUnderEveryPolicy(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	for name, to := range map[string]rxcql.Sink[event]{
		"Table": sink.Table[event](session, ks+".t", sink.Consistency(gocql.Consistency(gocql.Serial)), sink.BatchRows(1)),
		"Exec":  sink.Exec(session, "DELETE FROM "+ks+".t WHERE p = ?", bindP, sink.Consistency(gocql.Consistency(gocql.Serial))),
	} {
		rep, err := rxcql.Run(t.Context(), rows(make([]event, 100)...), to, rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
		require.ErrorContains(t, err, "You must use conditional updates for serializable writes", name)
		require.Zero(t, rep.Skipped, name)
		require.Zero(t, rep.Written, name)
	}
}
